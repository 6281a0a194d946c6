// How fast and for how long somebody has worked; looks once a second, so that nothing else has to.
import { useEffect, useState } from "react";
import type { Engine } from "../engine";
import { answersPerSecond, count, minutes, perSecond } from "../words";

interface Props {
  readonly engine: Engine;
  /** Images or tiles. */
  readonly things: string;
  readonly answers: number;
  readonly unreadable: number;
}

export function Speed({ engine, things, answers, unreadable }: Props) {
  const [{ speed, worked_ms }, setPace] = useState({ speed: 0, worked_ms: 0 });
  useEffect(() => {
    const look = () => setPace({ speed: engine.imagesPerSecond(), worked_ms: engine.worked_ms() });
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [engine]);
  const overall = perSecond(answersPerSecond(answers, worked_ms));
  return (
    <dl className="counts pace">
      <div
        className="rate"
        title={`${things} a second over the last minute of work; ${overall} on this visit`}
      >
        <dt>{things}/s</dt>
        <dd id="rate">{perSecond(speed)}</dd>
      </div>
      <div className="worked" title="Time at work since this page was opened">
        <dt className="unseen">time at work</dt>
        <dd id="worked">{minutes(worked_ms)}</dd>
      </div>
      {unreadable > 0 && (
        <div className="unreadable">
          <dt>unreadable</dt>
          <dd id="unreadable">{count(unreadable)}</dd>
        </div>
      )}
    </dl>
  );
}
