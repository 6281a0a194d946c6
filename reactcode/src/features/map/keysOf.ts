// The keys of the map: arrows through the clusters, plus and minus, the answers, and Escape one step back.
import { actionOf, isTaken, keyName } from "../../core/keys";
import { once } from "../review";
import type { Session } from "../../ui";
import { STEP } from "./plane/MapTools";
import type { Painter } from "./plane/painter";
import type { Choosing } from "./useChosen";

export const NEXT_KEY = "q"; // as in Finish
const PAN_PX = 80;
const STEPS: Readonly<Record<string, 1 | -1>> = { arrowdown: 1, arrowright: 1, arrowup: -1, arrowleft: -1 };
const PANS: Readonly<Record<string, readonly [number, number]>> = {
  arrowleft: [PAN_PX, 0],
  arrowright: [-PAN_PX, 0],
  arrowup: [0, PAN_PX],
  arrowdown: [0, -PAN_PX],
};

interface Around {
  readonly painter: Painter;
  readonly choosing: Choosing;
  readonly isLarge: boolean;
  readonly isListOpen: boolean;
  readonly clusters: number;
  /** Of the one in focus; -1: none is. */
  readonly place: number;
  readonly onPlace: (place: number) => void;
  readonly onSmall: () => void;
  readonly onListClosed: () => void;
}

export function keysOf(session: Session, around: Around): (event: React.KeyboardEvent) => void {
  return (event) => {
    const key = keyName(event.nativeEvent);
    if (key === null || isTaken(event.target, key)) return;
    const deed = key === "escape" ? back(around) : deedOf(session, around, key, event.shiftKey);
    if (deed === null) return;
    event.preventDefault();
    if (key in STEPS || key === "+" || key === "-") deed();
    else once(event, deed);
  };
}

/** One step back; null: the panel closes. */
function back({ choosing, isLarge, isListOpen, onSmall, onListClosed }: Around): (() => void) | null {
  if (isLarge) return onSmall;
  if (isListOpen) return onListClosed;
  if (choosing.asking !== null) return () => choosing.ask(null);
  return choosing.selection === null ? null : () => choosing.choose(null);
}

function deedOf(
  { bindings }: Session,
  { painter, choosing, clusters, place, onPlace }: Around,
  key: string,
  hasShift: boolean,
): (() => void) | null {
  const pan = PANS[key];
  const step = STEPS[key];
  if (pan !== undefined && hasShift) return () => painter.pan(...pan);
  if (step !== undefined && clusters > 0)
    return () => onPlace(Math.min(Math.max(place + step, 0), clusters - 1));
  if (key === "+" || key === "=") return () => painter.zoom(STEP);
  if (key === "-" || key === "_") return () => painter.zoom(1 / STEP);
  if (key === "0") return () => painter.reset();
  if (key === NEXT_KEY && choosing.asking === null) return choosing.askNext;
  const { asking } = choosing;
  if (key === "enter" && asking !== null) return () => choosing.answer(asking);
  const action = actionOf(bindings, key);
  if (action === "undo") return choosing.takeBack;
  if (action === "positive" || action === "negative") return () => choosing.ask(action);
  return null;
}
