// The image, large and whole, or a part of it from near; says when it has really been painted.
import { useLayoutEffect, useRef } from "react";
import { filterOf } from "../look";
import { afterPaint } from "../paint";
import { isPainted, keyOf, shownOf } from "../state";
import { useLens } from "../useLens";
import type { Session } from "../useSession";
import { Gamma } from "./Gamma";
import { useHeat } from "../useHeat";
import type { Why } from "../useExplanation";
import { Swipes } from "./Swipes";
import { Viewing } from "./Viewing";
import { Where } from "./Where";

interface Props {
  readonly session: Session;
  readonly why: Why;
}

export function Stage({ session, why }: Props) {
  const { engine, state } = session;
  const [stage, fit, glass, heat] = [
    useRef<HTMLDivElement>(null),
    useRef<HTMLDivElement>(null),
    useRef<HTMLDivElement>(null),
    useRef<HTMLDivElement>(null),
  ];
  const lens = useLens(session, { stage, fit, glass, heat });
  const shown = shownOf(state);
  const picture = shown && engine.picture(shown);
  const painted = isPainted(state);
  const key = shown && keyOf(shown);
  useLayoutEffect(() => lens.show(shown, picture, state));
  useLayoutEffect(() => {
    if (picture === null || key === null || painted) return;
    return afterPaint(() => engine.dispatch({ type: "painted", key }));
  }, [engine, picture, key, painted]);
  useHeat(lens, state.status, why);
  return (
    <div className="stage" ref={stage}>
      <Gamma look={state.look} />
      <div className="fit" ref={fit} style={{ filter: filterOf(state.look) }}>
        <div className="glass" ref={glass} />
      </div>
      <div className="fit over">
        <div className="heat" ref={heat} />
      </div>
      <Where session={session} />
      {shown && !picture && <p className="loading">Loading…</p>}
      <Swipes status={state.status} />
      {state.zoom && !state.photo && <Viewing session={session} lens={lens} />}
    </div>
  );
}
