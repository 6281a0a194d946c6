// Time as the page measures it: how long an image was shown, what AUTO has left of it, how fast a person works.
import { advance, rate, STOPPED, type Clock } from "./clock";
import { atWork, countsDown, type State } from "./state";

const FRAME_MS = 100; // a longer frame means that the page stood still: nobody saw the image meanwhile
const LAST = 8;
const ANSWERS_KEPT = 1000;
const REST_MS = 60_000; // so long without a sign of a person, and the clock of work stands

export class Pace {
  private shown: Clock = STOPPED;
  private countdown: Clock = STOPPED; // the same as shown, but frame by frame, for AUTO
  private isSure = false; // whether a frame with the image has begun since it was painted, or came back
  private work: Clock = STOPPED;
  private signed_ms = 0; // when a person was last there: whoever opens the page is
  private seen: Clock = STOPPED; // never reset: cells of a grid remember when they were painted by it
  private answers_ms: readonly number[] = []; // on the clock of work

  /** Start, stop and reset the clocks as a change of state asks. */
  follow(state: State, before: State, now: number): void {
    const isFresh = state.painted !== before.painted;
    const isShown = state.painted !== null && state.visible && !state.paused;
    this.shown = advance(isFresh ? STOPPED : this.shown, now, isShown);
    if (isFresh) this.countdown = STOPPED;
    if (isFresh || !countsDown(state)) this.isSure = false;
    if (!countsDown(state)) this.countdown = { ...this.countdown, at: null }; // nothing is seen from here on
    this.work = advance(this.work, this.present(now), atWork(state));
    this.seen = advance(this.seen, now, state.visible);
  }

  /** Somebody is there: a key, a movement of the mouse. */
  sign(now: number): void {
    const runs = this.work.at !== null;
    const { spent_ms } = advance(this.work, this.present(now), false);
    this.work = { spent_ms, at: runs ? now : null };
    this.signed_ms = now;
  }

  worked_ms(now: number): number {
    return advance(this.work, this.present(now), false).spent_ms;
  }

  /**
   * Another frame of AUTO; frames come only while the page is visible.
   *
   * Counted is what anybody would grant: from the second frame on, as the one before it has been painted by then, to
   * the beginning of a later one.
   *
   * @param time when the frame began; a busy machine gets to it later.
   */
  frame(state: State, time: number): void {
    const now = performance.now();
    const runs = countsDown(state);
    if (this.countdown.at !== null)
      this.countdown = advance(this.countdown, Math.min(time, now), runs, FRAME_MS);
    else if (runs && this.isSure) this.countdown = { ...this.countdown, at: now };
    this.isSure = runs;
  }

  answered(now: number): void {
    this.answers_ms = [...this.answers_ms.slice(1 - ANSWERS_KEPT), this.worked_ms(now)];
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
    return rate(this.answers_ms, this.worked_ms(now));
  }

  /** `now`, or until when somebody may be taken to have been there. */
  private present(now: number): number {
    return Math.min(now, this.signed_ms + REST_MS);
  }
}
