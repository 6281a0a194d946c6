// Time as the page measures it: how long an image was shown, what AUTO has left of it, how fast a person works.
import { advance, rate, STOPPED, type Clock } from "./clock";
import { atWork, countsDown, type State } from "./state";

const FRAME_MS = 100; // a longer frame means that the page stood still: nobody saw the image meanwhile
const LAST = 8;
const UNSURE_MS = 34;
const ANSWERS_KEPT = 1000;
const REST_MS = 60_000; // so long without a sign of a person, and the clock of work stands

/** Nothing is seen from here on; around a tab that goes away, the first and the last frame are not certain. */
function stopped({ spent_ms, at }: Clock, isVisible: boolean): Clock {
  return { spent_ms: at === null || isVisible ? spent_ms : Math.max(0, spent_ms - UNSURE_MS), at: null };
}

export class Pace {
  private shown: Clock = STOPPED;
  private countdown: Clock = STOPPED; // the same as shown, but frame by frame, for AUTO
  private isBack = true; // whether a frame has been painted since the tab was hidden
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
    if (!state.visible) this.isBack = false;
    if (!countsDown(state)) this.countdown = stopped(this.countdown, state.visible);
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

  /** Whether the time of AUTO stands; `begin` lets it run. */
  get stands(): boolean {
    return this.countdown.at === null;
  }

  /** A frame of AUTO has been painted: what it shows is certainly on the screen from now on. */
  begin(state: State, now: number): void {
    if (this.stands && this.isBack && countsDown(state)) this.countdown = { ...this.countdown, at: now };
    this.isBack = true;
  }

  /**
   * Another frame of AUTO; frames come only while the page is visible.
   *
   * @param time when the frame began; a busy machine gets to it later, and only the time until then is certain.
   */
  frame(state: State, time: number): void {
    if (this.stands) return;
    const until = Math.min(time, performance.now());
    this.countdown = advance(this.countdown, until, countsDown(state), FRAME_MS);
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
