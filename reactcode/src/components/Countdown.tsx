// The bar under the image that runs down in AUTO; drawn frame by frame without rendering anything.
import { useEffect, useRef } from "react";
import type { Session } from "../useSession";

export function Countdown({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!state.auto) return;
    let frame = requestAnimationFrame(function draw() {
      if (bar.current) bar.current.style.transform = `scaleX(${engine.remaining()})`;
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, [engine, state.auto]);
  return (
    <div
      id="countdown"
      className="countdown"
      data-auto={state.auto}
      data-paused={state.paused}
      aria-hidden="true"
    >
      <div ref={bar} />
    </div>
  );
}
