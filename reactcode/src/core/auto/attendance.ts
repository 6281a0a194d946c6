// Whether somebody is there while AUTO runs: how long it goes on without a sign of a person before it asks.
import { advance, STOPPED, type Clock } from "./clock";

/** So long before AUTO asks, the ring pulses. */
export const WARNING_MS = 5_000;

const GAPS = 5; // without a press for five times the usual gap: that happens to less than one in a hundred who watch
const FINDS = 10; // so many last finds tell how often something is found
const LEAST_CHANCE = 0.002; // a lower mean probability does not delay the question any further
const FRAME_MS = 1_000; // a longer frame means that the page stood still: nothing timed out meanwhile

export class Attendance {
  private running: Clock = STOPPED; // while images time out
  private sign_ms = 0; // the time of the last sign, on that clock
  private finds_ms: readonly number[] = []; // the times of the last finds, on the same clock

  /** Another frame of AUTO; `runs`: whether the time of an image runs down. */
  frame(now: number, runs: boolean): void {
    this.running = advance(this.running, now, runs, FRAME_MS);
  }

  /** Somebody is there. */
  sign(): void {
    this.sign_ms = this.running.spent_ms;
  }

  /** Somebody found one. */
  found(): void {
    this.sign();
    this.finds_ms = [...this.finds_ms.slice(-FINDS), this.sign_ms];
  }

  /** How long AUTO has run without a sign. */
  get idle_ms(): number {
    return this.running.spent_ms - this.sign_ms;
  }

  /**
   * How long AUTO is to run without a sign until it asks.
   *
   * @param least_ms as the run is set; 0: it never asks.
   * @param probabilities of the images that come next, null where the model says nothing.
   * @param speed images a second.
   */
  patience_ms(least_ms: number, probabilities: readonly (number | null)[], speed: number): number {
    if (least_ms === 0) return Infinity;
    return Math.max(least_ms, GAPS * Math.max(this.gap_ms, expectedGap_ms(probabilities, speed)));
  }

  /** Time from one find to the next; until there are two, how long somebody has watched for the first. */
  private get gap_ms(): number {
    const since_ms = this.finds_ms.length > FINDS ? (this.finds_ms[0] ?? 0) : 0;
    const gaps = Math.min(this.finds_ms.length, FINDS);
    return (this.sign_ms - since_ms) / Math.max(gaps, 1);
  }
}

/** The time to the next find by what the model says of the images that come; 0 where it says nothing. */
function expectedGap_ms(probabilities: readonly (number | null)[], speed: number): number {
  const known = probabilities.filter((probability) => probability !== null);
  if (known.length === 0) return 0;
  const mean = known.reduce((sum, probability) => sum + probability, 0) / known.length;
  return 1000 / (Math.max(mean, LEAST_CHANCE) * speed);
}
