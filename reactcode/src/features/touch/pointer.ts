// Mouse, wheel and fingers on the stage: they move the view, or give an answer.
import type { Engine } from "../../core/engine";
import { type Action, perform } from "../../core/keys";
import { shownOf } from "../../core/session";
import type { Lens, Point } from "../looking";
import { Gestures, type Direction, type Gesture, type Mode, type Touch } from "./gesture";

/** What a swipe answers. */
export const SWIPES: Readonly<Record<Direction, Action & ("positive" | "negative" | "skipped")>> = {
  right: "positive",
  left: "negative",
  up: "skipped",
};

const EDGE_PX = 16; // a swipe from this close to the edge of the screen belongs to the system: back and forward
const WHEEL = { line_px: 16, page_px: 400, most_px: 240, gain: 0.002, pinch_gain: 0.01, notch_px: 50 };

/** Listen until the returned function is called. */
export function attachPointer(stage: HTMLElement, lens: Lens, engine: Engine): () => void {
  const gestures = new Gestures();
  const done = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(
    type: K,
    listener: (event: HTMLElementEventMap[K]) => void,
  ) => stage.addEventListener(type, listener, { signal: done.signal, passive: false });
  const act = (gesture: Gesture) => follow(gesture, stage, lens, engine);
  on("pointerdown", (event) => {
    if (event.button !== 0 || isOnButton(event)) return;
    stage.setPointerCapture(event.pointerId); // the picture may be replaced before the finger is lifted
    gestures.down(touchOf(stage, event), modeOf(event, engine), stage.clientWidth).forEach(act);
  });
  on("pointermove", (event) => {
    if (event.pointerType === "mouse") lens.mouse = pointOf(stage, event);
    gestures.move(touchOf(stage, event)).forEach(act);
  });
  on("pointerup", (event) => gestures.up(touchOf(stage, event)).forEach(act));
  on("pointercancel", (event) => gestures.cancel(event.pointerId).forEach(act));
  on("pointerleave", () => (lens.mouse = null));
  on("wheel", (event) => {
    event.preventDefault(); // else the browser would zoom the page, or walk through its own history
    turned(event, pointOf(stage, event), lens);
  });
  return () => done.abort();
}

function isOnButton(event: Event): boolean {
  return event.target instanceof Element && event.target.closest("button") !== null;
}

/** What one finger does here: a whole picture is swiped, a part of one panned. */
function modeOf(event: PointerEvent, engine: Engine): Mode {
  if (event.pointerType === "mouse" || engine.state.zoom) return "pan";
  const isAtEdge = event.clientX < EDGE_PX || event.clientX > window.innerWidth - EDGE_PX;
  return isAtEdge ? "nothing" : "swipe";
}

function follow(gesture: Gesture, stage: HTMLElement, lens: Lens, engine: Engine): void {
  switch (gesture.type) {
    case "pan":
      return lens.pan(gesture.by);
    case "pinch":
      return lens.pinch(gesture.factor, gesture.at, gesture.by);
    case "doubleTap":
      return lens.toggle(gesture.at);
    case "twoFingerTap":
      return perform(engine, "undo", "button");
    case "pull":
      hint(stage, gesture.direction, gesture.part);
      return lens.follows(gesture.by);
    case "letGo":
      hint(stage, null, 0);
      return lens.springBack(true);
    case "swipe":
      hint(stage, null, 0);
      return swipe(gesture.direction, lens, engine);
  }
}

function swipe(direction: Direction, lens: Lens, engine: Engine): void {
  const before = shownOf(engine.state);
  perform(engine, SWIPES[direction], "button");
  lens.springBack(before === shownOf(engine.state));
}

/** Sets what the style sheet shows of the swipe: its answer, and how far it is. */
function hint(stage: HTMLElement, direction: Direction | null, part: number): void {
  stage.dataset["swipe"] = direction ?? "";
  stage.dataset["sure"] = String(part === 1);
  stage.style.setProperty("--pull", part.toFixed(2));
}

/** The wheel, or two fingers on a trackpad; a pinch there comes as a wheel with Ctrl. */
function turned(event: WheelEvent, at: Point, lens: Lens): void {
  const { line_px, page_px, most_px, gain, pinch_gain, notch_px } = WHEEL;
  const unit = [1, line_px, page_px][event.deltaMode] ?? 1;
  const delta = Math.min(Math.max((event.deltaY || event.deltaX) * unit, -most_px), most_px);
  const isPinch = event.ctrlKey && Math.abs(delta) < notch_px;
  const factor = Math.exp(-delta * (isPinch ? pinch_gain : gain));
  lens.zoom(factor, at, Math.abs(delta) >= notch_px);
}

/** In pixels from the middle of the stage. */
function pointOf(stage: HTMLElement, { clientX, clientY }: MouseEvent): Point {
  const { left, top, width, height } = stage.getBoundingClientRect();
  return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
}

function touchOf(stage: HTMLElement, event: PointerEvent): Touch {
  return { id: event.pointerId, time_ms: event.timeStamp, ...pointOf(stage, event) };
}
