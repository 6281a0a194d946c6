// Time as the page measures it: how long an image was shown, what AUTO has left of it, how fast a person works.
import { advance, rate, STOPPED, type Clock } from "./clock";
import { atWork, countsDown, type State } from "./session";

const FRAME_MS = 100; // a longer frame means that the page stood still: nobody saw the image meanwhile
const LAST = 8;
const ANSWERS_KEPT = 1000;

export class Pace {
  private shown: Clock = STOPPED;
  private countdown: Clock = STOPPED; // the same as shown, but frame by frame, for AUTO
  private isBack = true; // whether a frame has been painted since the tab was hidden
  private work: Clock = STOPPED;
  private seen: Clock = STOPPED; // never reset: cells of a grid remember when they were painted by it
  private answers_ms: readonly number[] = []; // on the clock of work

  /** Start, stop and reset the clocks as a change of state asks. */
  follow(state: State, before: State, now: number): void {
    const isFresh = state.painted !== before.painted;
    const isShown = state.painted !== null && state.visible && !state.paused;
    this.shown = advance(isFresh ? STOPPED : this.shown, now, isShown);
    if (isFresh) this.countdown = STOPPED;
    if (!state.visible) this.isBack = false;
    if (!countsDown(state)) this.countdown = { ...this.countdown, at: null }; // nothing is seen from here on
    this.work = advance(this.work, now, atWork(state));
    this.seen = advance(this.seen, now, state.visible);
  }

  /**
   * One frame of AUTO; frames come only while the page is visible.
   *
   * @param time when the frame began; a busy machine gets to it later. Counted is what is certain: from the moment
   *   at which a frame is at work to the beginning of a later one.
   */
  frame(state: State, time: number): void {
    const runs = countsDown(state) && this.isBack;
    this.isBack = true;
    const { at } = this.countdown;
    const now = performance.now();
    this.countdown =
      at === null
        ? { ...this.countdown, at: runs ? now : null }
        : advance(this.countdown, Math.min(time, now), runs, FRAME_MS);
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

  /** Which part of an image's time in AUTO is left, 1 to 0. */
  remaining(duration_ms: number): number {
    return Math.max(0, 1 - this.countdown.spent_ms / duration_ms);
  }

  /** Time from one answer to the next, of the last ones; Infinity before there are two. */
  get interval_ms(): number {
    const last = this.answers_ms.slice(-LAST);
    const [first, latest] = [last[0], last.at(-1)];
    return first === undefined || latest === undefined || last.length < 2
      ? Infinity
      : (latest - first) / (last.length - 1);
  }

  imagesPerSecond(now: number): number {
    return rate(this.answers_ms, advance(this.work, now, false).spent_ms);
  }
}
