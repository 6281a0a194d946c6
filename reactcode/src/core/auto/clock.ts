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

/** The middle one of some times, or the mean of the two in the middle; null where there are none. */
export function median(times_ms: readonly number[]): number | null {
  const sorted = times_ms.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
