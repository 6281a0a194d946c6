// Mouse and fingers on the map: they move and enlarge it, draw around points, and point at one.
import { rectangle, type Place } from "../../../core/map";
import type { Painter } from "./painter";

/** What a drag does. */
export type Tool = "move" | "lasso" | "rectangle";

export interface Wishes {
  readonly tool: () => Tool;
  /** Points inside this outline are chosen. */
  readonly onOutline: (outline: readonly Place[]) => void;
  /** A mouse or a long press points here; null: nowhere any more. */
  readonly onPoint: (at: Place | null, isFinger: boolean) => void;
  /** A click or a tap. */
  readonly onPick: (at: Place, isFinger: boolean) => void;
}

const SLOP_PX = 5; // a press that moves no farther is a click
const STEP_PX = 3; // between two corners of a lasso
const LONG_MS = 450; // shorter than the system's own long press
const DOUBLE_MS = 260; // a second click within this time makes it a double click
const WHEEL = { line_px: 16, most_px: 240, gain: 0.0022, pinch_gain: 0.01 };

interface Held {
  readonly from: Place;
  at: Place;
  readonly draws: Tool | null;
  outline: Place[];
  isMoved: boolean;
  isLong: boolean;
}

/** Listen until the returned function is called. */
export function attachGestures(canvas: HTMLCanvasElement, painter: Painter, wishes: Wishes): () => void {
  const held = new Map<number, Held>();
  const done = new AbortController();
  const timers: { long?: ReturnType<typeof setTimeout>; click?: ReturnType<typeof setTimeout> } = {};
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => canvas.addEventListener(type, listener, { signal: done.signal, passive: false });
  const stopDrawing = () => {
    for (const one of held.values()) one.outline = [];
    painter.trace([]);
  };

  on("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    const at = placeOf(canvas, event);
    const tool = wishes.tool();
    const draws = tool === "move" ? (event.shiftKey ? "lasso" : null) : tool;
    const one: Held = { from: at, at, draws, outline: [at], isMoved: false, isLong: false };
    held.set(event.pointerId, one);
    clearTimeout(timers.long);
    if (held.size > 1) stopDrawing();
    else if (event.pointerType === "touch")
      timers.long = setTimeout(() => {
        one.isLong = !one.isMoved && held.size === 1;
        if (one.isLong) wishes.onPoint(one.at, true);
      }, LONG_MS);
    if (event.pointerType !== "touch") wishes.onPoint(null, false);
  });

  on("pointermove", (event) => {
    const at = placeOf(canvas, event);
    const one = held.get(event.pointerId);
    if (one === undefined) return wishes.onPoint(at, false);
    const before = one.at;
    if (held.size > 1) return pinch(held, event.pointerId, at, painter);
    one.isMoved ||= distance(one.from, at) > SLOP_PX;
    if (one.isLong) return wishes.onPoint((one.at = at), true);
    if (!one.isMoved) return;
    clearTimeout(timers.long);
    one.at = at;
    if (one.draws === null) painter.pan(at.x - before.x, at.y - before.y);
    else painter.trace(extended(one, at));
  });

  on("pointerup", (event) => {
    const one = held.get(event.pointerId);
    held.delete(event.pointerId);
    clearTimeout(timers.long);
    if (one === undefined) return;
    const isFinger = event.pointerType === "touch";
    painter.trace([]);
    if (one.isLong) return wishes.onPoint(null, true);
    if (one.isMoved && one.draws !== null && one.outline.length > 2) return wishes.onOutline(one.outline);
    if (one.isMoved || held.size > 0) return;
    clearTimeout(timers.click);
    timers.click = setTimeout(() => wishes.onPick(one.from, isFinger), DOUBLE_MS);
  });

  on("pointercancel", (event) => {
    held.delete(event.pointerId);
    clearTimeout(timers.long);
    painter.trace([]);
    wishes.onPoint(null, true);
  });
  on("pointerleave", () => wishes.onPoint(null, false));
  on("contextmenu", (event) => event.preventDefault()); // a long press on a phone
  on("dblclick", () => {
    clearTimeout(timers.click);
    painter.reset();
  });
  on("wheel", (event) => {
    event.preventDefault(); // else the browser would enlarge the page
    wishes.onPoint(null, false);
    painter.zoom(factorOf(event), placeOf(canvas, event));
  });
  return () => {
    done.abort();
    clearTimeout(timers.long);
    clearTimeout(timers.click);
  };
}

function extended(one: Held, at: Place): readonly Place[] {
  const last = one.outline.at(-1) ?? one.from;
  if (one.draws === "rectangle") one.outline = [...rectangle(one.from, at)];
  else if (distance(last, at) >= STEP_PX) one.outline.push(at);
  return one.outline;
}

/** Two fingers: what lies between them stays between them. */
function pinch(held: ReadonlyMap<number, Held>, id: number, at: Place, painter: Painter): void {
  const one = held.get(id);
  const other = [...held].find(([key]) => key !== id)?.[1];
  if (one === undefined || other === undefined) return;
  const before = one.at;
  one.at = at;
  one.isMoved = other.isMoved = true;
  const factor = distance(at, other.at) / Math.max(distance(before, other.at), 1);
  painter.zoom(factor, { x: (at.x + other.at.x) / 2, y: (at.y + other.at.y) / 2 });
  painter.pan((at.x - before.x) / 2, (at.y - before.y) / 2);
}

/** The wheel, or two fingers on a trackpad; a pinch there comes as a wheel with Ctrl. */
function factorOf({ deltaY, deltaMode, ctrlKey }: WheelEvent): number {
  const { line_px, most_px, gain, pinch_gain } = WHEEL;
  const delta = Math.min(Math.max(deltaY * (deltaMode === 1 ? line_px : 1), -most_px), most_px);
  return Math.exp(-delta * (ctrlKey && Math.abs(delta) < 50 ? pinch_gain : gain));
}

function distance(one: Place, other: Place): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

function placeOf(canvas: HTMLCanvasElement, { clientX, clientY }: MouseEvent): Place {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
