// The image, large and whole, or a part of it from near; says when it has really been painted.
import { useEffect, useLayoutEffect, useRef } from "react";
import { filterOf } from "../look";
import { isPainted, keyOf, shownOf } from "../session";
import { useLens } from "../useLens";
import type { Session } from "../useSession";
import { Gamma } from "./Gamma";
import { Swipes } from "./Swipes";
import { Viewing } from "./Viewing";

export function Stage({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const [stage, fit, glass] = [
    useRef<HTMLDivElement>(null),
    useRef<HTMLDivElement>(null),
    useRef<HTMLDivElement>(null),
  ];
  const lens = useLens(session, { stage, fit, glass });
  const shown = shownOf(state);
  const picture = shown && engine.picture(shown);
  const painted = isPainted(state);
  const key = shown && keyOf(shown);
  useLayoutEffect(() => lens.show(shown, picture, state));
  useEffect(() => {
    if (picture === null || key === null || painted) return;
    return afterPaint(() => engine.dispatch({ type: "painted", key }));
  }, [engine, picture, key, painted]);
  return (
    <div className="stage" ref={stage}>
      <Gamma look={state.look} />
      <div className="fit" ref={fit} style={{ filter: filterOf(state.look) }}>
        <div className="glass" ref={glass} />
      </div>
      {shown && !picture && <p className="loading">Loading…</p>}
      <Swipes status={state.status} />
      {state.zoom && <Viewing session={session} lens={lens} />}
    </div>
  );
}

/** Call back when what is in the page now has been painted: in the second frame from here. */
function afterPaint(action: () => void): () => void {
  let frame = requestAnimationFrame(() => {
    frame = requestAnimationFrame(action);
  });
  return () => cancelAnimationFrame(frame);
}
