// Time as the page measures it: how long an image was shown, what AUTO has left of it, how fast a person works.
import { atWork, countsDown, type State } from "../session";
import { advance, median, STOPPED, type Clock } from "./clock";

const FRAME_MS = 100; // a longer frame means that the page stood still: nobody saw the image meanwhile
const LAST = 50; // so many last answers of a kind tell how long one takes
const ENOUGH = 5; // fewer answers of a kind than this tell nothing
const JUST_NOW = 8; // so many of the last answers predict how soon the next one comes
const REST_MS = 60_000; // the work clock stops after so long without a sign of a person

/** Answers that take different times: one by one, what times out in AUTO, pages of the grid. */
export type Kind = "single" | "auto" | "grid";

/** Which kind the next answer will be of. */
export function kindOf({ grid, auto }: State): Kind {
  if (grid.isOpen) return "grid";
  return auto ? "auto" : "single";
}

export class Pace {
  private shown: Clock = STOPPED;
  private countdown: Clock = STOPPED; // the same time as `shown`, counted frame by frame for AUTO
  private isSure = false; // whether a frame has begun since the image was painted or the countdown resumed
  private work: Clock = STOPPED;
  private signed_ms = 0; // when a person was last active; opening the page counts
  private seen: Clock = STOPPED; // never reset: cells of a grid remember when they were painted by it
  private since_ms: number | null = null; // the answer before, or the first image, on the clock of work
  private latest: Kind | null = null; // the last kind that has enough answers
  private readonly took_ms: Record<Kind, readonly number[]> = { single: [], auto: [], grid: [] }; // for each image

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
    if (state.painted !== null || state.grid.painted.size > 0) this.since_ms ??= this.worked_ms(now);
  }

  /** A person is active: a key or the mouse says so, or AUTO assumes it. */
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
   * The countdown begins with the second frame, because only then the first one has surely been painted, and ends with
   * the beginning of a later frame.
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

  /** Notes that so many images were answered at once. */
  answered(now: number, kind: Kind, images = 1): void {
    const worked_ms = this.worked_ms(now);
    const took_ms = (worked_ms - (this.since_ms ?? worked_ms)) / images;
    this.took_ms[kind] = [...this.took_ms[kind].slice(1 - LAST), took_ms];
    this.since_ms = worked_ms;
    if (this.took_ms[kind].length >= ENOUGH) this.latest = kind;
  }

  /** How long the page has been visible. */
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

  /** Time from one answer of this kind to the next, of the very last ones; Infinity before there are any. */
  interval_ms(kind: Kind): number {
    return median(this.took_ms[kind].slice(-JUST_NOW)) ?? Infinity;
  }

  /**
   * How long an image takes: the median of the last answers of this kind; where there are fewer than five, those of
   * the latest kind that has five; null before there is one. Time at rest is not counted, and one long look moves it
   * little.
   */
  image_ms(kind: Kind): number | null {
    const known = this.took_ms[kind].length >= ENOUGH ? kind : this.latest;
    return known && median(this.took_ms[known]);
  }

  /** `now`, or the latest time at which a person can be assumed to have been there. */
  private present(now: number): number {
    return Math.min(now, this.signed_ms + REST_MS);
  }
}
