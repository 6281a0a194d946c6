// How the work goes on this visit; looks once a second.
import { useEffect, useState } from "react";
import { answeredHere, foundHere } from "../../core/session";
import { noun, answersPerSecond, duration, pace, perSecond } from "../../core/words";
import { type Session, Figure } from "../../ui";

interface Props {
  readonly session: Session;
  readonly positive: string;
}

export function Work({ session, positive }: Props) {
  const { engine, state } = session;
  const [, look] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => look((times) => times + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const worked_ms = engine.worked_ms();
  const answers = answeredHere(state);
  const found = foundHere(state);
  const things = noun(state.status);
  return (
    <Figure title="This visit">
      <dl className="facts">
        <dt>{things}/s, last 50</dt>
        <dd>{pace(engine.image_ms())}</dd>
        <dt>{things}/s, overall</dt>
        <dd>{answers > 0 ? perSecond(answersPerSecond(answers, worked_ms)) : "–"}</dd>
        <dt>time at work</dt>
        <dd>{duration(worked_ms)}</dd>
        <dt>{`for each “${positive}” found`}</dt>
        <dd>{found > 0 ? duration(worked_ms / found) : "–"}</dd>
      </dl>
    </Figure>
  );
}
