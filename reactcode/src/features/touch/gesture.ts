// Recognises pan, pinch, swipe and taps from plain data; it knows neither elements nor a clock.
import type { Point } from "../looking";

/** A finger, or the mouse while its button is down. */
export interface Touch extends Point {
  readonly id: number;
  readonly time_ms: number;
}

export type Direction = "left" | "right" | "up";

export type Gesture =
  | { readonly type: "pan"; readonly by: Point }
  | { readonly type: "pinch"; readonly by: Point; readonly factor: number; readonly at: Point }
  /** A swipe in progress; `part` is the share of the way done, 1 from where it would count. */
  | { readonly type: "pull"; readonly direction: Direction; readonly by: Point; readonly part: number }
  | { readonly type: "letGo" }
  | { readonly type: "swipe"; readonly direction: Direction }
  | { readonly type: "doubleTap"; readonly at: Point }
  | { readonly type: "twoFingerTap" };

/** What one finger does: move what is seen, answer, or nothing. */
export type Mode = "pan" | "swipe" | "nothing";

const SLOP = 6; // pixels that a finger may move during a tap
const PINCH_SLOP = 12;
const TAP_MS = 350;
const DOUBLE = { within_ms: 350, within: 30 };
const REACH = { part: 0.3, most: 120 }; // of the stage's width, in pixels
const FLICK = { speed: 0.45, least: 24, over_ms: 100 }; // speed in pixels a millisecond

type Phase = "none" | "undecided" | "pan" | "across" | "up" | "two" | "pinch" | "over";

const NONE: readonly Gesture[] = [];

export class Gestures {
  private readonly fingers = new Map<number, Touch>();
  private phase: Phase = "none";
  private mode: Mode = "nothing";
  private width = 0;
  private start: Touch = { id: 0, x: 0, y: 0, time_ms: 0 };
  private trail: readonly Touch[] = []; // the last places of the finger
  private pair = { middle: { x: 0, y: 0 }, apart: 1 };
  private lastTap: Touch | null = null;

  /** A finger goes down; the mode and width of the first one hold until all are up. */
  down(touch: Touch, mode: Mode, width: number): readonly Gesture[] {
    this.fingers.set(touch.id, touch);
    if (this.fingers.size === 1) {
      this.begin(touch, mode, width);
      return NONE;
    }
    const before = this.phase;
    this.phase = this.fingers.size === 2 && before !== "over" ? "two" : "over";
    this.pair = this.measure();
    return isPull(before) ? [{ type: "letGo" }] : NONE;
  }

  private begin(touch: Touch, mode: Mode, width: number): void {
    this.phase = "undecided";
    this.mode = mode;
    this.width = width;
    this.start = touch;
    this.trail = [touch];
  }

  move(touch: Touch): readonly Gesture[] {
    const before = this.fingers.get(touch.id);
    if (before === undefined) return NONE;
    this.fingers.set(touch.id, touch);
    switch (this.phase) {
      case "undecided":
        return this.decide(touch);
      case "pan":
        return [{ type: "pan", by: minus(touch, before) }];
      case "across":
      case "up":
        return this.pull(touch);
      case "two":
      case "pinch":
        return this.pinch();
      case "none":
      case "over":
        return NONE;
    }
  }

  up(touch: Touch): readonly Gesture[] {
    if (!this.fingers.delete(touch.id)) return NONE;
    const { phase } = this;
    const isLast = this.fingers.size === 0;
    if (phase === "pinch") this.phase = "pan"; // the remaining finger pans
    if (isLast) this.phase = "none";
    if (isPull(phase)) return [this.released(touch, this.directionOf(phase, touch))];
    if (!isLast || touch.time_ms - this.start.time_ms > TAP_MS) return NONE;
    if (phase === "two") return [{ type: "twoFingerTap" }];
    return phase === "undecided" ? this.tap(touch) : NONE;
  }

  /** The browser, or another window, has taken the finger. */
  cancel(id: number): readonly Gesture[] {
    if (!this.fingers.delete(id)) return NONE;
    const { phase } = this;
    this.phase = this.fingers.size === 0 ? "none" : "over";
    return isPull(phase) ? [{ type: "letGo" }] : NONE;
  }

  private decide(touch: Touch): readonly Gesture[] {
    const { x, y } = minus(touch, this.start);
    if (Math.hypot(x, y) < SLOP) return NONE;
    this.phase = this.mode === "pan" ? "pan" : this.mode === "swipe" ? wayOf(x, y) : "over";
    if (this.phase === "pan") return [{ type: "pan", by: { x, y } }];
    return isPull(this.phase) ? this.pull(touch) : NONE;
  }

  private pull(touch: Touch): readonly Gesture[] {
    const recent = this.trail.filter(({ time_ms }) => touch.time_ms - time_ms < FLICK.over_ms);
    this.trail = [...(recent.length > 0 ? recent : this.trail.slice(-1)), touch];
    const { x, y } = minus(touch, this.start);
    const by = this.phase === "up" ? { x: 0, y: Math.min(y, 0) } : { x, y: 0 };
    const part = Math.min(1, Math.hypot(by.x, by.y) / this.reach);
    return [{ type: "pull", direction: this.directionOf(this.phase, touch), by, part }];
  }

  private released(touch: Touch, direction: Direction): Gesture {
    const from = this.trail[0] ?? this.start;
    const done = along(direction, minus(touch, this.start));
    const speed = along(direction, minus(touch, from)) / Math.max(touch.time_ms - from.time_ms, 1);
    const isFlick = speed >= FLICK.speed && done >= FLICK.least;
    const isBack = speed <= -FLICK.speed;
    return isFlick || (done >= this.reach && !isBack) ? { type: "swipe", direction } : { type: "letGo" };
  }

  private directionOf(phase: Phase, touch: Touch): Direction {
    if (phase === "up") return "up";
    return touch.x < this.start.x ? "left" : "right";
  }

  private get reach(): number {
    return Math.min(REACH.most, REACH.part * this.width);
  }

  private pinch(): readonly Gesture[] {
    const { middle, apart } = this.measure();
    const by = minus(middle, this.pair.middle);
    const isStill = Math.abs(apart - this.pair.apart) < PINCH_SLOP && Math.hypot(by.x, by.y) < PINCH_SLOP;
    if (this.phase === "two" && isStill) return NONE;
    const factor = apart / this.pair.apart;
    const isFirst = this.phase === "two";
    this.phase = "pinch";
    this.pair = { middle, apart };
    return isFirst ? NONE : [{ type: "pinch", by, factor, at: middle }]; // so that nothing jumps
  }

  private measure(): { middle: Point; apart: number } {
    const [a, b] = [...this.fingers.values()];
    if (a === undefined || b === undefined) return this.pair;
    const { x, y } = minus(a, b);
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(Math.hypot(x, y), 1) };
  }

  private tap(touch: Touch): readonly Gesture[] {
    const last = this.lastTap;
    const isSecond =
      last !== null &&
      touch.time_ms - last.time_ms <= DOUBLE.within_ms &&
      Math.hypot(touch.x - last.x, touch.y - last.y) <= DOUBLE.within;
    this.lastTap = isSecond ? null : touch;
    return isSecond ? [{ type: "doubleTap", at: { x: touch.x, y: touch.y } }] : NONE;
  }
}

function isPull(phase: Phase): boolean {
  return phase === "across" || phase === "up";
}

/** The direction in which a finger has set out; down means nothing. */
function wayOf(x: number, y: number): Phase {
  if (Math.abs(x) >= Math.abs(y)) return "across";
  return y < 0 ? "up" : "over";
}

function along(direction: Direction, { x, y }: Point): number {
  return { left: -x, right: x, up: -y }[direction];
}

function minus(a: Point, b: Point): Point {
  return { x: a.x - b.x, y: a.y - b.y };
}
