// The keyboard in the grid: a key for each cell, arrows for the focus, Enter to answer all images.
import type { Queued } from "../../api";
import type { Engine } from "../engine";
import { isGridShown, nextSize, type State } from "../session";
import { actionOf, isTaken, keyName } from "./bindings";
import { perform, worksInGrid, type Bindings } from "./keys";

/** The keys of the first cells as they are drawn, and where they lie: there digits may need Shift. */
export const CELL_KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "-", "="] as const;
const CELL_CODES = [...Array.from({ length: 9 }, (_, n) => `Digit${n + 1}`), "Digit0", "Minus", "Equal"];

const ARROWS: Readonly<Record<string, (columns: number) => number>> = {
  arrowleft: () => -1,
  arrowright: () => 1,
  arrowup: (columns) => -columns,
  arrowdown: (columns) => columns,
};

/** Whether a key press is the grid's: it is there, and no dialog stands before it. */
export function isGridsKey(state: State, event: KeyboardEvent): boolean {
  const isFree = state.panel === "grid" || state.panel === "tools";
  return isFree && isGridShown(state) && event.key !== "Escape";
}

export function onGridKey(engine: Engine, bindings: Bindings, event: KeyboardEvent): void {
  const key = keyName(event) ?? "";
  const isOnCell = event.target instanceof Element && event.target.matches("#grid .grid-cell");
  if (key === "enter" && event.repeat) return event.preventDefault(); // held down it answers once, on a button too
  if (isTaken(event.target, key) && !(isOnCell && key === "enter")) return;
  const deed = deedOf(engine, bindings, event, key);
  if (deed === null) return;
  event.preventDefault();
  if (!event.repeat || key in ARROWS) deed();
}

function deedOf(engine: Engine, bindings: Bindings, event: KeyboardEvent, key: string): (() => void) | null {
  const arrow = ARROWS[key];
  if (key === "enter") return () => engine.answerGrid();
  if (arrow) return () => moveFocus(arrow);
  const action = actionOf(bindings, key);
  if (action === "skipped") return () => engine.dispatch({ type: "gridSkipping" });
  if (action === "like") return () => onChosen(engine, (cell) => void engine.wishes.moreLikeThis.press(cell));
  if (action === "split") return () => onChosen(engine, (cell) => void engine.history.split(cell));
  if (action !== null && worksInGrid(action)) return () => perform(engine, action, "key");
  const resizing = resizingOf(event);
  if (resizing !== null) return () => engine.setGridSize(nextSize(engine.state.grid.size, resizing));
  const cell = engine.state.grid.cells[placeOf(event)];
  return cell ? () => engine.dispatch({ type: "gridMarked", image: cell.image, mark: "positive" }) : null;
}

/** Do it to the cell that has the focus, else to the one under the mouse. */
function onChosen(engine: Engine, deed: (cell: Queued) => void): void {
  const grid = document.getElementById("grid");
  const chosen =
    grid?.querySelector<HTMLElement>(".grid-cell:focus") ?? grid?.querySelector(".grid-cell:hover");
  const cell = engine.state.grid.cells.find(({ image }) => String(image) === chosen?.dataset["image"]);
  if (cell === undefined) engine.note("Choose an image first, with an arrow key or the mouse.");
  else deed(cell);
}

/** More (1) or fewer (-1) cells, by + and -; the key of the minus itself is a cell's, except on the number pad. */
function resizingOf({ key, code }: KeyboardEvent): 1 | -1 | null {
  if (key === "+") return 1;
  return code === "NumpadSubtract" || (key === "_" && code === "Minus") ? -1 : null;
}

function placeOf({ key, code }: KeyboardEvent): number {
  const byCode = CELL_CODES.indexOf(code);
  return byCode >= 0 ? byCode : CELL_KEYS.findIndex((name) => name === key);
}

/** The focus goes to the cell that many places on; from outside of the grid to the first one. */
function moveFocus(stepOf: (columns: number) => number): void {
  const cells = [...document.querySelectorAll<HTMLElement>("#grid .grid-cell")];
  const columns = Number(document.getElementById("grid")?.dataset["columns"]);
  const place = cells.findIndex((cell) => cell === document.activeElement);
  const next = place < 0 ? cells[0] : cells[place + stepOf(columns)];
  next?.focus();
}
