// Answers a second over the last minute of work; looks once a second, so that nothing else has to.
import { useEffect, useState } from "react";
import type { Engine } from "../engine";
import { perSecond } from "../words";

export function Speed({ engine }: { readonly engine: Engine }) {
  const [speed, setSpeed] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSpeed(engine.imagesPerSecond()), 1000);
    return () => clearInterval(timer);
  }, [engine]);
  return (
    <div className="rate">
      <dt>images/s</dt>
      <dd id="rate">{perSecond(speed)}</dd>
    </div>
  );
}
