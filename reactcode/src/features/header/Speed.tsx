// How fast and how long somebody has worked; it updates itself once a second, so that nothing else has to.
import { useEffect, useState } from "react";
import type { Engine } from "../../core/engine";
import { answersPerSecond, count, minutes, perSecond, pace } from "../../core/words";

interface Props {
  readonly engine: Engine;
  /** Images or tiles. */
  readonly things: string;
  readonly answers: number;
  readonly unreadable: number;
}

interface Look {
  readonly image_ms: number | null;
  readonly worked_ms: number;
}

export function Speed({ engine, things, answers, unreadable }: Props) {
  const [{ image_ms, worked_ms }, setPace] = useState<Look>({ image_ms: null, worked_ms: 0 });
  useEffect(() => {
    const look = () => setPace({ image_ms: engine.image_ms(), worked_ms: engine.worked_ms() });
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }, [engine]);
  const overall = perSecond(answersPerSecond(answers, worked_ms));
  return (
    <dl className="counts pace">
      <div className="rate" title={`${things} a second, over the last 50 answers; ${overall} on this visit`}>
        <dt>{things}/s</dt>
        <dd id="rate">{pace(image_ms)}</dd>
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
