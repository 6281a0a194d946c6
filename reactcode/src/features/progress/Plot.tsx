// Paper for a plot: axes from zero, a few round numbers, and what is drawn on them.
import type { ReactNode } from "react";
import { count } from "../../core/words";
import { PAPER, placed, roof, ticks, type Place } from "./plot";

const LEVELS = 4;

interface Props {
  /** The plot in words, for those who do not see it. */
  readonly label: string;
  readonly mostX: number;
  readonly mostY: number;
  readonly unitY?: string;
  readonly children: (at: Place) => ReactNode;
}

export function Plot({ label, mostX, mostY, unitY = "", children }: Props) {
  const top = roof(mostY, LEVELS);
  const at = placed(mostX, top);
  const { width, height } = PAPER;
  return (
    <svg className="plot" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {ticks(top, LEVELS).map((y) => (
        <Level key={y} at={at} mostX={mostX} y={y} text={count(y) + unitY} />
      ))}
      {ticks(mostX, 5).map((x) => (
        <text key={x} x={at(x, 0)[0]} y={height - 6} textAnchor="middle">
          {count(x)}
        </text>
      ))}
      {children(at)}
    </svg>
  );
}

interface LevelProps {
  readonly at: Place;
  readonly mostX: number;
  readonly y: number;
  readonly text: string;
}

function Level({ at, mostX, y, text }: LevelProps) {
  const [left, top] = at(0, y);
  return (
    <>
      <line className={y === 0 ? "axis" : "level"} x1={left} x2={at(mostX, 0)[0]} y1={top} y2={top} />
      <text x={left - 6} y={top + 4} textAnchor="end">
        {text}
      </text>
    </>
  );
}
