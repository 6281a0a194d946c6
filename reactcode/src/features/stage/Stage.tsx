// The image, large and whole, or a part of it from near; says when it has really been painted.
import { useLayoutEffect, useRef } from "react";
import { afterPaint } from "../../core/browser";
import { filterOf, isPainted, keyOf, shownOf } from "../../core/session";
import { useHeat, type Why } from "../explanation";
import { Gamma, Viewing } from "../looking";
import { Where } from "../tiles";
import { Swipes } from "../touch";
import type { Session } from "../../ui";
import { useLens } from "./useLens";

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
  const picture = shown && engine.pictures.element(shown);
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
