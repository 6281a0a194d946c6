// A clock that can be stopped: how long an image was on screen, how long a person worked.

/** `at` is when the clock was last looked at while it ran; null while it stands. */
export interface Clock {
  readonly spent_ms: number;
  readonly at: number | null;
}

export const STOPPED: Clock = { spent_ms: 0, at: null };

/**
 * The clock at `now`, and whether it runs from here on.
 *
 * @param most_ms the most that one step may add: a clock that is looked at in every frame thereby ignores
 *   the time in which the machine slept or the page stood still.
 */
export function advance(clock: Clock, now: number, runs: boolean, most_ms = Infinity): Clock {
  const step_ms = clock.at === null ? 0 : Math.min(Math.max(now - clock.at, 0), most_ms);
  return { spent_ms: clock.spent_ms + step_ms, at: runs ? now : null };
}

const WINDOW_MS = 60_000;
const LEAST_MS = 2_000;

/**
 * Answers a second over the last minute of work.
 *
 * @param times_ms when answers were given, on the clock of work, oldest first.
 * @param worked_ms what that clock shows now.
 */
export function rate(times_ms: readonly number[], worked_ms: number): number {
  const since = worked_ms - WINDOW_MS;
  const recent = times_ms.filter((time) => time > since);
  const first = recent[0];
  if (first === undefined) return 0;
  const isOlder = recent.length < times_ms.length;
  const window_ms = isOlder ? WINDOW_MS : worked_ms - first;
  return (1000 * recent.length) / Math.max(window_ms, LEAST_MS);
}
