// AUTO has seen no sign of a person for a while: it waits and asks.
import { keyLabel } from "../../core/keys";
import { duration } from "../../core/words";
import { type Session, Dialog } from "../../ui";
import { useState } from "react";

export function StillThere({ session }: { readonly session: Session }) {
  const { engine, bindings } = session;
  const [waited_ms] = useState(engine.autopilot.idle_ms); // the idle time when the question appeared
  const goOn = () => engine.dispatch({ type: "back" });
  const look = () => {
    goOn();
    engine.toggle("review");
  };
  return (
    <Dialog title="Still there?" className="still" onClose={goOn}>
      <p>
        AUTO waits, because you pressed and moved nothing for {duration(waited_ms)}. Please look back at what
        it answered meanwhile.
      </p>
      <p className="foot">
        <button type="button" className="switch" id="go-on" onClick={goOn}>
          Go on (any key)
        </button>
        <button type="button" className="plain text" id="look-back" onClick={look}>
          Look back
        </button>
      </p>
      <p>{keyLabel(bindings.auto)} ends AUTO.</p>
    </Dialog>
  );
}
