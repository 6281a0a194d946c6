// Many images at once: which ones, how they are marked, what one Enter says about them. Pure, like session.ts.
import type { Answered, Label, Queued } from "../../api";
import { countImages, imagesOf, imagesWaiting } from "./alike";
import { NO_GRID, type Grid, type GridAnswer, type GridStep, type Mark } from "./gridState";
import type { Asked, Panel, Past, State } from "./state";

export const SIZES = [4, 6, 9, 12, 16, 20] as const;
const LARGEST = 20;

const MARKED_FROM = 0.5; // from this probability on, the model marks an image until the person says otherwise
const SURE = 0.8; // from this probability on, or below its complement, the model counts as sure
const ROUNDING = 1e-9;
const RARE = 0.05; // a page is asked about if a calibrated model would be contradicted so on fewer pages than this share

// --- what can be read off ---------------------------------------------------------------------------------------------

export function isGridShown(state: State): boolean {
  return state.grid.isOpen && state.place === null;
}

/** Whether an image is in the grid, where it stays whatever a newer ranking says. */
export function isInGrid({ grid }: State, { image }: Queued): boolean {
  return grid.isOpen && grid.cells.some((cell) => cell.image === image);
}

/** The images after the cells: most of them will be in the next grid. */
export function nextGrid({ grid, queue }: State): readonly Queued[] {
  return without(once(queue), grid.cells).slice(0, grid.size);
}

/** How many places the grid has, also while images are missing: nothing moves when these arrive. */
export function placesOf(state: State): number {
  const { grid, status, queue } = state;
  const left = status === null ? grid.size : Math.max(0, status.left - imagesWaiting(state));
  const unknown = Math.max(0, left - countImages(queue));
  return Math.max(grid.cells.length, Math.min(grid.size, queue.length + unknown, left));
}

/** The mark of an image: the person's, else the model's unless probabilities are hidden. */
export function markOf({ grid, blind }: State, { image, probability }: Queued): Mark | null {
  const said = grid.marks.get(image);
  if (said !== undefined) return said === "negative" ? null : said;
  return !blind && probability !== null && probability >= MARKED_FROM ? "positive" : null;
}

/** The answers of the grid: the marks, and negative for all other painted cells; nobody has seen an unpainted one. */
export function gridAnswers(state: State): readonly GridAnswer[] {
  return state.grid.cells.flatMap((queued) => {
    const painted_ms = state.grid.painted.get(queued.image);
    const label = markOf(state, queued) ?? "negative";
    return painted_ms === undefined ? [] : [{ queued, label, painted_ms }];
  });
}

/** Answers that go against a model that is sure of the opposite. */
export function againstModel(state: State): readonly GridAnswer[] {
  return state.blind ? [] : sureAnswers(state).filter(isAgainst);
}

/** Whether the person is asked to confirm the page, because it contradicts the model unusually often; never twice. */
export function asksFirst(state: State): boolean {
  const { isAsking, askedAbout } = state.grid;
  if (isAsking || state.blind) return false;
  const sure = sureAnswers(state).filter(({ queued }) => !askedAbout.has(queued.image));
  const against = sure.filter(isAgainst).length;
  return against > 0 && atLeast(against, sure.map(chanceAgainst)) <= RARE + ROUNDING;
}

function sureAnswers(state: State): readonly GridAnswer[] {
  return gridAnswers(state).filter(
    (answer) => answer.queued.probability !== null && chanceAgainst(answer) <= 1 - SURE + ROUNDING,
  );
}

function isAgainst({ queued, label }: GridAnswer): boolean {
  return label !== "skipped" && (label === "positive") !== (queued.probability ?? 0) >= MARKED_FROM;
}

/** The model's own probability that an answer to this image contradicts it. */
function chanceAgainst({ queued }: GridAnswer): number {
  return Math.min(queued.probability ?? 0, 1 - (queued.probability ?? 0));
}

/** The probability that at least `count` of several independent events happen (Poisson binomial). */
function atLeast(count: number, chances: readonly number[]): number {
  const nothing: readonly number[] = [1];
  const happened = chances.reduce(
    (before, chance) => [...before, 0].map((same, n) => same * (1 - chance) + (before[n - 1] ?? 0) * chance),
    nothing,
  );
  return happened.slice(count).reduce((sum, one) => sum + one, 0);
}

/** The next larger (1) or smaller (-1) number of cells. */
export function nextSize(size: number, direction: 1 | -1): number {
  const next = direction === 1 ? SIZES.find((s) => s > size) : SIZES.findLast((s) => s < size);
  return next ?? size;
}

export function checkedSize(value: unknown): number {
  return SIZES.find((size) => size === value) ?? NO_GRID.size;
}

const ANY_ASPECTS = [4 / 3, 3 / 4];

/** The number of columns by which pictures of these aspects (width / height) come out largest. */
export function columnsFor(
  count: number,
  width: number,
  height: number,
  aspects: readonly number[] = ANY_ASPECTS,
): number {
  const worth = (columns: number) => {
    const rows = Math.ceil(count / columns);
    const areas = aspects.map((aspect) => fitted(width / columns, height / rows, aspect));
    return areas.reduce((sum, area) => sum + area, 0) - 1e-3 * (columns * rows - count); // of equals, the one without gaps
  };
  const possible = Array.from({ length: Math.max(count, 1) }, (_, place) => place + 1);
  return possible.reduce((best, columns) => (worth(columns) > worth(best) ? columns : best));
}

/** The area of a picture that fits a cell as a whole. */
function fitted(width: number, height: number, aspect: number): number {
  const fits = Math.min(width, height * aspect);
  return (fits * fits) / aspect;
}

// --- the reducer ------------------------------------------------------------------------------------------------------

export function reduceGrid(state: State, step: GridStep): State {
  const { grid } = state;
  switch (step.type) {
    case "gridSize":
      return {
        ...state,
        grid: { ...grid, size: step.size, cells: grid.cells.slice(0, step.size), isAsking: false },
      };
    case "gridPainted":
      return { ...state, grid: { ...grid, painted: withPainted(grid, step.images, step.at_ms) } };
    case "gridMarked":
      return { ...state, grid: withMark(state, step.image, step.mark) };
    case "gridSkipping":
      return { ...state, grid: { ...grid, isSkipping: !grid.isSkipping } };
    case "gridAsked":
      return { ...state, grid: { ...grid, isAsking: true, askedAbout: withPage(grid) } };
    case "gridBack":
      return { ...state, grid: { ...grid, isAsking: false } };
    case "gridAnswered":
      return withAnswers(state, step.answers);
  }
}

function withPainted({ painted, cells }: Grid, images: readonly number[], at_ms: number) {
  const fresh = cells.filter(({ image }) => images.includes(image) && !painted.has(image));
  return new Map([...painted, ...fresh.map(({ image }) => [image, at_ms] as const)]);
}

/** Sets a mark, or removes the same one; a cell that is not painted yet cannot be marked. */
function withMark(state: State, image: number, wanted: Mark): Grid {
  const { grid } = state;
  const cell = grid.cells.find((queued) => queued.image === image);
  if (cell === undefined || !grid.painted.has(image)) return grid;
  const mark = grid.isSkipping ? "skipped" : wanted;
  const said = markOf(state, cell) === mark ? "negative" : mark;
  return { ...grid, marks: new Map(grid.marks).set(image, said), isSkipping: false, isAsking: false };
}

function withPage({ cells, askedAbout }: Grid): ReadonlySet<number> {
  return new Set([...askedAbout, ...cells.map(({ image }) => image)]);
}

function withAnswers(state: State, answers: readonly GridAnswer[]): State {
  const images = answers.map(({ queued }) => queued);
  const entries = answers.map(({ queued, label }): Past => ({ ...queued, label, source: "grid" })).reverse();
  const having = (label: Label) => answers.filter((answer) => answer.label === label).length;
  const numbers = images.flatMap(imagesOf);
  const last = { positive: having("positive"), negative: having("negative"), skipped: having("skipped") };
  return {
    ...state,
    past: [...entries, ...without(state.past, images)],
    queue: state.queue.filter(({ image }) => !numbers.includes(image)),
    answered: new Map([...state.answered, ...numbers.map((image) => [image, Infinity] as const)]),
    grid: {
      ...state.grid,
      cells: [],
      marks: new Map([...state.grid.marks].filter(([image]) => !numbers.includes(image))),
      painted: new Map(),
      isSkipping: false,
      isAsking: false,
      last,
    },
  };
}

/** Open a panel, or close the one that is open; the grid is one of them, and the others stand in front of it. */
export function withPanel(state: State, panel: Panel | null): State {
  const isClosed = panel === null && state.panel === "grid";
  if (isClosed) return { ...state, panel, grid: { ...state.grid, ...CLOSED } };
  if (panel !== "grid") return { ...state, panel };
  return { ...state, panel, place: null, grid: { ...state.grid, isOpen: true } };
}

const CLOSED = {
  isOpen: false,
  cells: [],
  painted: new Map<number, number>(),
  isSkipping: false,
  isAsking: false,
};

/** Puts images that were taken back first in the grid, with their marks; `state` has them in the queue already. */
export function withTakenBack(
  state: State,
  images: readonly (Pick<Answered, "image"> & { readonly label?: Label | null })[],
): State {
  const { grid } = state;
  if (!grid.isOpen) return state;
  const labels = new Map(images.map(({ image, label }) => [image, label]));
  const again = state.queue.filter(({ image }) => labels.has(image)).slice(0, LARGEST);
  const cells = [...again, ...without(grid.cells, again)].slice(0, Math.max(grid.size, again.length));
  const marks = new Map(grid.marks);
  for (const { image } of again) {
    const label = labels.get(image);
    if (label) marks.set(image, label);
    else marks.delete(image);
  }
  const painted = new Map([...grid.painted].filter(([image]) => !labels.has(image)));
  return { ...state, grid: { ...grid, cells, marks, painted, isAsking: false } };
}

/** Without images that are asked again: they have an answer, and wait until single images are shown. */
function once(queue: readonly Asked[]): readonly Asked[] {
  return queue.filter(({ again }) => again === undefined);
}

/** After every step: the grid is full while there are images, and it is the panel while nothing stands before it. */
export function withGrid(state: State): State {
  const { grid, place, panel } = state;
  if (!grid.isOpen) return state;
  const cells = filled(grid, once(state.queue));
  if (cells.length === 0 && state.queue.length > 0) return withPanel({ ...state, panel: "grid" }, null);
  const painted = cells === grid.cells ? grid.painted : paintedOf(cells, grid.painted);
  const filledGrid = cells === grid.cells ? grid : { ...grid, cells, painted, isAsking: false };
  if (place !== null) return { ...state, panel: panel === "grid" ? null : panel, grid: filledGrid };
  return { ...state, panel: panel ?? "grid", painted: null, zoom: false, paused: false, grid: filledGrid };
}

function paintedOf(cells: readonly Queued[], painted: ReadonlyMap<number, number>) {
  return new Map([...painted].filter(([image]) => cells.some((cell) => cell.image === image)));
}

/** Replaces each cell that is no longer asked by the next image, so that the others stay where they are. */
function filled({ cells, size }: Grid, queue: readonly Queued[]): readonly Queued[] {
  const spare = [...without(queue, cells)];
  const isAsked = (cell: Queued) =>
    queue.some(({ image, version }) => image === cell.image && version === cell.version);
  const kept = cells.flatMap((cell) => (isAsked(cell) ? [cell] : spare.splice(0, 1)));
  const more = spare.slice(0, Math.max(0, size - kept.length));
  const isSame =
    more.length === 0 && kept.length === cells.length && kept.every((cell, n) => cell === cells[n]);
  return isSame ? cells : [...kept, ...more];
}

function without<T extends Queued>(queued: readonly T[], taken: readonly Queued[]): readonly T[] {
  const numbers = new Set(taken.map(({ image }) => image));
  return queued.filter(({ image }) => !numbers.has(image));
}
