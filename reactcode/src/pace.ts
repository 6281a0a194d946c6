// Time as the page measures it: how long an image was shown, what AUTO has left of it, how fast a person works.
import { advance, rate, STOPPED, type Clock } from "./clock";
import { atWork, countsDown, type State } from "./session";

const FRAME_MS = 100; // a longer frame means that the page stood still: nobody saw the image meanwhile
const ANSWERS_KEPT = 1000;

export class Pace {
  private shown: Clock = STOPPED;
  private countdown: Clock = STOPPED; // the same as shown, but frame by frame, for AUTO
  private work: Clock = STOPPED;
  private seen: Clock = STOPPED; // never reset: cells of a grid remember when they were painted by it
  private answers_ms: readonly number[] = []; // on the clock of work

  /** Start, stop and reset the clocks as a change of state asks. */
  follow(state: State, before: State, now: number): void {
    const isFresh = state.painted !== before.painted;
    const isShown = state.painted !== null && state.visible && !state.paused;
    this.shown = advance(isFresh ? STOPPED : this.shown, now, isShown);
    if (isFresh) this.countdown = STOPPED;
    this.work = advance(this.work, now, atWork(state));
    this.seen = advance(this.seen, now, state.visible);
  }

  /** One frame of AUTO; frames come only while the page is visible. */
  frame(state: State, now: number): void {
    this.countdown = advance(this.countdown, now, countsDown(state), FRAME_MS);
  }

  answered(now: number): void {
    const { spent_ms } = advance(this.work, now, false);
    this.answers_ms = [...this.answers_ms.slice(1 - ANSWERS_KEPT), spent_ms];
  }

  /** For how long the page was seen at all. */
  seen_ms(now: number): number {
    return advance(this.seen, now, false).spent_ms;
  }

  shown_ms(now: number): number {
    return Math.round(advance(this.shown, now, false).spent_ms);
  }

  /** Which part of the image's time in AUTO is left, 1 to 0. */
  remaining(speed: number): number {
    return Math.max(0, 1 - (this.countdown.spent_ms * speed) / 1000);
  }

  imagesPerSecond(now: number): number {
    return rate(this.answers_ms, advance(this.work, now, false).spent_ms);
  }
}
