// The ring that runs down in AUTO, and pulses before AUTO asks if somebody is there; drawn without rendering anything.
import { useEffect, useRef } from "react";
import type { Session } from "../../ui";

const RADIUS = 14;
const AROUND = 2 * Math.PI * RADIUS;

export function Ring({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const ring = useRef<SVGSVGElement>(null);
  const circle = useRef<SVGCircleElement>(null);
  useEffect(() => {
    if (!state.auto) return;
    let frame = requestAnimationFrame(function draw() {
      const gone = AROUND * (1 - engine.autopilot.remaining());
      circle.current?.setAttribute("stroke-dashoffset", String(gone));
      ring.current?.setAttribute("data-asks-soon", String(engine.autopilot.isAboutToAsk));
      frame = requestAnimationFrame(draw);
    });
    return () => cancelAnimationFrame(frame);
  }, [engine, state.auto]);
  if (!state.auto) return null;
  return (
    <svg
      ref={ring}
      id="ring"
      className="ring"
      viewBox="0 0 36 36"
      data-paused={state.paused}
      aria-hidden="true"
    >
      <circle cx="18" cy="18" r={RADIUS} />
      <circle ref={circle} className="left" cx="18" cy="18" r={RADIUS} strokeDasharray={AROUND} />
    </svg>
  );
}
