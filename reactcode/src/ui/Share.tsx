// A share with its 95 % interval, as a bar: where it lies between nothing and all, and how well that is known.
import type { Share as Known } from "../api";
import { percent } from "../core/words";

const LEAST = 1.5; // per cent of the bar: a single point is to be seen, too

interface Props extends Known {
  /** Null where only the interval is known. */
  readonly share: number | null;
  readonly label: string;
}

export function Share({ share, low, high, label }: Props) {
  return (
    <svg
      className="share"
      role="img"
      aria-label={`${label}${share === null ? "" : `: ${percent(share)}`}${inWords(low, high)}`}
    >
      <rect className="all" width="100%" height="100%" rx="4" />
      {low !== null && high !== null && (
        <rect
          className="interval"
          x={`${Math.min(100 * low, 100 - LEAST)}%`}
          width={`${Math.max(100 * (high - low), LEAST)}%`}
          height="100%"
          rx="4"
        />
      )}
      {share !== null && (
        <line className="mark" x1={`${100 * share}%`} x2={`${100 * share}%`} y1="0" y2="100%" />
      )}
    </svg>
  );
}

/** The interval as the end of a sentence. */
export function inWords(low: number | null, high: number | null): string {
  return low === null || high === null
    ? ""
    : `, 95 % interval ${Math.round(100 * low)} to ${Math.round(100 * high)} %`;
}
