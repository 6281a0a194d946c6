// What the page knows and how it changes: a pure reducer. No React, no clock, no network.
import { SPEED } from "./speed";
import type {
  Answered,
  Counts,
  Label,
  PastAnswer,
  Queued,
  QueueAnswer,
  Source,
  Status,
  UndoAnswer,
} from "./api";
import {
  isGridStep,
  isInGrid,
  NO_GRID,
  reduceGrid,
  withGrid,
  withPanel,
  withTakenBack,
  type Grid,
  type GridStep,
} from "./grid";

// --- state ---------------------------------------------------------------------------------------------------------

export type Panel =
  "help" | "info" | "tools" | "tensorboard" | "progress" | "review" | "instructions" | "grid";
/** Why an image that has an answer is shown once more: a press may have been for it, or to measure what AUTO misses. */
export type Again = "inPeace" | "blindly";

/** An image of the queue. */
export interface Asked extends Queued {
  readonly again?: Again;
}

/** A press in AUTO that was given to an image before the one on the screen. */
export interface Late {
  readonly queued: Queued;
  readonly label: Label;
  /** How many images before. */
  readonly back: number;
  /** The one that was on the screen when the key was pressed. */
  readonly onScreen: Queued | null;
  readonly serial: number;
}

export type Link = "connecting" | "here" | "away";

/** An answer of the past, as the page walks through them. */
export interface Past extends Queued {
  readonly label: Label;
  readonly source: string;
}

export interface State {
  readonly status: Status | null;
  readonly link: Link;
  /** Why answers wait although the server is there, in its own words. */
  readonly trouble: string | null;
  readonly unauthorised: boolean;
  /** The first is the one being asked. */
  readonly queue: readonly Asked[];
  readonly ranking: number | null;
  readonly asked: boolean;
  /** Images answered here: the tick at which the server knew; Infinity while it does not. */
  readonly answered: ReadonlyMap<number, number>;
  readonly tick: number;
  readonly decoded: ReadonlySet<string>;
  readonly unreadable: ReadonlySet<string>;
  /** The picture that is on screen, by `keyOf`; null until the one shown has been painted. */
  readonly painted: string | null;
  /** Newest first. */
  readonly past: readonly Past[];
  readonly pastComplete: boolean;
  /** Which of `past` is looked at; null: the queue. */
  readonly place: number | null;
  readonly waiting: number;
  readonly stuck: boolean;
  readonly undoing: boolean;
  readonly auto: boolean;
  readonly speed: number;
  readonly paused: boolean;
  readonly idle: boolean;
  /** The last press that was given to an earlier image; null once its image is long gone. */
  readonly late: Late | null;
  /** AUTO offers to stop: what comes next is hardly what is looked for. */
  readonly offer: boolean;
  readonly visible: boolean;
  readonly panel: Panel | null;
  readonly grid: Grid;
  readonly zoom: boolean;
  readonly last: { readonly label: Label; readonly source: Source; readonly serial: number } | null;
  /** A quiet sentence for the eye. */
  readonly note: { readonly text: string; readonly serial: number } | null;
}

export const START: State = {
  status: null,
  link: "connecting",
  trouble: null,
  unauthorised: false,
  queue: [],
  ranking: null,
  asked: false,
  answered: new Map(),
  tick: 0,
  decoded: new Set(),
  unreadable: new Set(),
  painted: null,
  past: [],
  pastComplete: false,
  place: null,
  waiting: 0,
  stuck: false,
  undoing: false,
  auto: false,
  speed: SPEED.first,
  paused: false,
  idle: false,
  late: null,
  offer: false,
  visible: true,
  panel: null,
  grid: NO_GRID,
  zoom: false,
  last: null,
  note: null,
};

export type Step =
  | GridStep
  | { readonly type: "status"; readonly status: Status }
  | { readonly type: "link"; readonly link: Link; readonly trouble?: string; readonly unauthorised?: boolean }
  | {
      readonly type: "queue";
      readonly answer: QueueAnswer;
      readonly asked_at: number;
      readonly keep?: number;
    }
  | { readonly type: "decoded" | "unreadable"; readonly queued: Queued }
  | { readonly type: "painted"; readonly key: string }
  | { readonly type: "answered"; readonly label: Label; readonly source: Source }
  | { readonly type: "again"; readonly images: readonly Queued[]; readonly how: Again }
  | { readonly type: "unasked"; readonly images: readonly number[] }
  | { readonly type: "late"; readonly late: Omit<Late, "serial"> | null }
  | { readonly type: "offer"; readonly offer: boolean }
  | { readonly type: "corrected"; readonly queued: Queued; readonly label: Label }
  | { readonly type: "waiting"; readonly waiting: number; readonly images: readonly number[] }
  | { readonly type: "stuck"; readonly stuck: boolean }
  | { readonly type: "stored"; readonly images: readonly number[]; readonly counts: Counts }
  | { readonly type: "refused"; readonly queued: Queued; readonly sentence: string }
  | { readonly type: "undoing" }
  | { readonly type: "undone"; readonly answer: UndoAnswer }
  | { readonly type: "undoFailed"; readonly sentence: string }
  | { readonly type: "pastLoaded"; readonly answers: readonly PastAnswer[]; readonly total: number }
  | { readonly type: "walk"; readonly direction: "older" | "newer" | "queue" }
  | { readonly type: "visit"; readonly image: number }
  | { readonly type: "auto" | "pause" | "idle" | "back" | "zoom" }
  | { readonly type: "speed"; readonly speed: number }
  | { readonly type: "visible"; readonly visible: boolean }
  | { readonly type: "panel"; readonly panel: Panel | null }
  | { readonly type: "note"; readonly text: string };

const BLINDLY_AT = 8; // images that are shown again blindly come so far behind the one on the screen
const KEPT_AHEAD = 2; // so many decoded images at least stay next whatever a newer ranking says

// --- what can be read off the state ----------------------------------------------------------------------------------

/** What identifies a picture: a file that was written anew is another picture. */
export function keyOf(queued: Queued): string {
  return `${queued.image}@${queued.version ?? ""}`;
}

/** What is on the stage: an image of the past, or the one being asked. */
export function shownOf(state: State): Asked | null {
  return (state.place === null ? state.queue[0] : state.past[state.place]) ?? null;
}

export function isPainted(state: State): boolean {
  const shown = shownOf(state);
  return shown !== null && state.painted === keyOf(shown);
}

/** Whether an answer would be for an image that the person has seen. */
export function canAnswer(state: State): boolean {
  return isPainted(state) && !state.undoing && !state.idle;
}

/** Whether AUTO is on and not paused: then Space says positive. */
export function autoRuns(state: State): boolean {
  return state.auto && !state.paused;
}

/** Whether the time of the image shown runs down. */
export function countsDown(state: State): boolean {
  const isWatched = state.visible && state.panel === null && state.place === null && !state.zoom;
  const isSafe = state.link === "here" && state.trouble === null && !state.stuck && !isLoopDown(state);
  return autoRuns(state) && isWatched && isSafe && canAnswer(state);
}

/** Whether a loop asks for attention. */
export function isLoopDown({ status }: State): boolean {
  return status !== null && Object.values(status.loops).includes("down");
}

/** Whether a person is at work: on that time images a second rest. */
export function atWork(state: State): boolean {
  const isWatched = state.panel === null || state.panel === "grid";
  return state.visible && !state.paused && !state.idle && isWatched;
}

export function answeredCount(status: Status): number {
  return status.positives + status.negatives + status.skipped;
}

/** What the page says in words when there is no image to show. */
export type Scene =
  "connecting" | "unauthorised" | "listing" | "empty" | "done" | "elsewhere" | "loading" | "image";

export function sceneOf(state: State): Scene {
  if (shownOf(state) !== null) return "image";
  if (state.unauthorised) return "unauthorised";
  if (state.status === null || !state.asked) return "connecting";
  if (state.waiting > 0 || state.link === "away") return "loading";
  if (state.status.left > 0) return "elsewhere";
  if (state.status.listing) return "listing";
  return state.status.images === 0 ? "empty" : "done";
}

// --- the reducer -----------------------------------------------------------------------------------------------------

export function reduce(before: State, step: Step): State {
  const state = withGrid(isGridStep(step) ? reduceGrid(before, step) : changed(before, step));
  const shown = shownOf(state);
  const last = shownOf(before);
  const isSame = shown?.image === last?.image && shown?.again === last?.again && state.place === before.place;
  return isSame && shown !== null ? state : { ...state, painted: null, zoom: false }; // a new picture has yet to be painted
}

function changed(state: State, step: Exclude<Step, GridStep>): State {
  switch (step.type) {
    case "status":
      return { ...state, status: step.status, link: "here", unauthorised: false };
    case "link":
      return {
        ...state,
        link: step.link,
        trouble: step.trouble ?? null,
        unauthorised: step.unauthorised ?? (step.link === "here" ? false : state.unauthorised),
      };
    case "queue":
      return withQueue(state, step.answer, step.asked_at, step.keep ?? KEPT_AHEAD);
    case "decoded":
      return { ...state, decoded: new Set(state.decoded).add(keyOf(step.queued)) };
    case "unreadable":
      return withoutUnreadable(state, step.queued);
    case "painted":
      return { ...state, painted: step.key };
    case "answered":
      return withAnswer(state, step.label, step.source);
    case "again":
      return { ...state, queue: withAgain(state.queue, step.images, step.how) };
    case "unasked":
      return {
        ...state,
        queue: state.queue.filter((asked) => !asked.again || !step.images.includes(asked.image)),
      };
    case "late":
      return { ...state, late: step.late && { ...step.late, serial: (state.late?.serial ?? 0) + 1 } };
    case "offer":
      return { ...state, offer: step.offer };
    case "corrected":
      return withCorrection(state, step.queued, step.label);
    case "waiting":
      return withWaiting(state, step.waiting, step.images);
    case "stuck":
      return { ...state, stuck: step.stuck };
    case "stored":
      return withStored(state, step.images, step.counts);
    case "refused":
      return noted(withoutAnswer(state, step.queued.image), `Not stored: ${step.sentence}`);
    case "undoing":
      return { ...state, undoing: true };
    case "undone":
      return withUndone(state, step.answer);
    case "undoFailed":
      return noted({ ...state, undoing: false }, step.sentence);
    case "pastLoaded":
      return withPast(state, step.answers, step.total);
    case "walk":
      return { ...state, place: walked(state, step.direction) };
    case "visit":
      return { ...state, place: placeOf(state.past, step.image) };
    case "auto":
      return { ...state, auto: !state.auto, paused: false, idle: false, late: null, offer: false };
    case "pause":
      return { ...state, paused: !state.paused, idle: false };
    case "idle":
      return { ...state, idle: true };
    case "back":
      return { ...state, idle: false };
    case "zoom":
      return { ...state, zoom: !state.zoom && isPainted(state) };
    case "speed":
      return { ...state, speed: Math.min(Math.max(step.speed, SPEED.least), SPEED.most) };
    case "visible":
      return { ...state, visible: step.visible };
    case "panel":
      return withPanel(state, step.panel);
    case "note":
      return noted(state, step.text);
  }
}

function noted(state: State, text: string): State {
  return { ...state, note: { text, serial: (state.note?.serial ?? 0) + 1 } };
}

/**
 * A newer order: the image being asked, the first decoded ones after it, and those shown again stay; the rest is
 * replaced. What was answered here after the question went out is in the server's answer only because it did not know yet.
 */
function withQueue(state: State, answer: QueueAnswer, asked_at: number, keep: number): State {
  const isOpen = (queued: Queued) =>
    !((state.answered.get(queued.image) ?? -1) > asked_at) && !state.unreadable.has(keyOf(queued));
  const kept = state.queue.filter(
    (asked, place) =>
      place === 0 ||
      asked.again ||
      (place <= keep && state.decoded.has(keyOf(asked))) ||
      isInGrid(state, asked),
  );
  const held = new Set(kept.map((queued) => queued.image));
  const fresh = answer.images.filter((queued) => isOpen(queued) && !held.has(queued.image));
  const queue = [...kept, ...fresh];
  const isCurrent = state.tick === asked_at; // else `left` is older than what is known
  const status = state.status && { ...state.status, left: isCurrent ? answer.left : state.status.left };
  return {
    ...state,
    status,
    link: "here",
    unauthorised: false,
    queue,
    ranking: answer.ranking,
    asked: true,
    answered: new Map([...state.answered].filter(([, tick]) => tick > asked_at)),
    decoded: decodedOf(state, queue),
  };
}

/** In peace: next; blindly: after what is fetched already, so that nobody waits for it. */
function withAgain(queue: readonly Asked[], images: readonly Queued[], how: Again): readonly Asked[] {
  const numbers = new Set(images.map(({ image }) => image));
  const rest = queue.filter((asked, place) => place === 0 || !numbers.has(asked.image));
  const again = images.map((queued) => ({ ...queued, again: how }));
  const place = how === "inPeace" ? 1 : Math.min(BLINDLY_AT, rest.length);
  return [...rest.slice(0, place), ...again, ...rest.slice(place)];
}

/** The pictures known to be decoded, less those that nobody asks for any more. */
function decodedOf(state: State, queue: readonly Queued[]): ReadonlySet<string> {
  return new Set(queue.map(keyOf).filter((key) => state.decoded.has(key)));
}

function withoutUnreadable(state: State, queued: Queued): State {
  const key = keyOf(queued);
  if (state.unreadable.has(key)) return state;
  const without: State = {
    ...state,
    queue: state.queue.filter((other) => keyOf(other) !== key),
    unreadable: new Set(state.unreadable).add(key),
  };
  return noted(without, `unreadable: ${queued.path}`);
}

function withAnswer(state: State, label: Label, source: Source): State {
  const shown = shownOf(state);
  if (shown === null) return state;
  const { image, path, probability, version } = shown;
  const entry: Past = { image, path, probability, version, label, source };
  const past =
    state.place === null
      ? [entry, ...state.past.filter((other) => other.image !== image)]
      : state.past.map((other) => (other.image === image ? entry : other));
  return {
    ...state,
    past,
    queue: state.place === null ? state.queue.slice(1) : state.queue.filter((other) => other.image !== image),
    answered: new Map(state.answered).set(image, Infinity),
    last: { label, source, serial: (state.last?.serial ?? 0) + 1 },
    paused: state.auto && state.paused, // outside of AUTO, who answers is back at work
  };
}

/** An answer of the past is another one now; its image keeps its place among them. */
function withCorrection(state: State, { image }: Queued, label: Label): State {
  const past = state.past.map((entry) =>
    entry.image === image ? { ...entry, label, source: "key" } : entry,
  );
  return { ...state, past, last: { label, source: "key", serial: (state.last?.serial ?? 0) + 1 } };
}

function withWaiting(state: State, waiting: number, images: readonly number[]): State {
  const answered = new Map(state.answered);
  for (const image of images) answered.set(image, Infinity);
  const queue = state.queue.filter((asked) => asked.again || !images.includes(asked.image));
  return { ...state, waiting, answered, queue, stuck: state.stuck && waiting > 0 };
}

function withStored(state: State, images: readonly number[], counts: Counts): State {
  const { positives, negatives, skipped, left } = counts;
  const tick = state.tick + 1;
  const answered = new Map(state.answered);
  for (const image of images) answered.set(image, tick);
  return {
    ...state,
    tick,
    status: state.status && { ...state.status, positives, negatives, skipped, left },
    answered,
    link: "here",
    trouble: null,
    unauthorised: false,
  };
}

function withoutAnswer(state: State, image: number): State {
  const answered = new Map(state.answered);
  answered.delete(image);
  const place = state.past.findIndex((entry) => entry.image === image);
  const past = state.past.filter((entry) => entry.image !== image);
  const isBefore = state.place !== null && place >= 0 && place <= state.place;
  return { ...state, answered, past, place: isBefore ? placeIn(past, (state.place ?? 0) - 1) : state.place };
}

function placeIn(past: readonly Past[], place: number): number | null {
  return past.length === 0 ? null : Math.min(Math.max(place, 0), past.length - 1);
}

/** Images whose answers were taken back are asked again, at once and in the order they had. */
function withUndone(state: State, { label, images }: UndoAnswer): State {
  const name = label === "skipped" ? "skipped" : (state.status?.classes[label] ?? label);
  const what = images.length === 1 ? name : `${images.length} answers`;
  const again = images.flatMap((answer) => askedAgain(state, answer));
  const gone = images.find(({ image }) => image === null);
  const sentence = gone ? `Taken back; the file is gone: ${gone.path}` : `Taken back: ${what}`;
  const without = again.reduce((before, { image }) => withoutAnswer(before, image), state);
  const numbers = new Set(again.map(({ image }) => image));
  const queue = [...again, ...state.queue.filter(({ image }) => !numbers.has(image))];
  const asked: State = { ...without, queue, place: null, painted: null, undoing: false };
  return noted(withTakenBack(asked, images), sentence);
}

function askedAgain(state: State, { image, path, version }: Answered): Queued[] {
  const probability = state.past.find((entry) => entry.image === image)?.probability ?? null;
  return image === null ? [] : [{ image, path, version, probability }];
}

function withPast(state: State, answers: readonly PastAnswer[], total: number): State {
  const known = new Set(state.past.map((entry) => entry.image));
  const older = answers.flatMap(({ image, path, probability, version, label, source }) =>
    image === null || known.has(image) ? [] : [{ image, path, probability, version, label, source }],
  );
  const past = [...state.past, ...older];
  return { ...state, past, pastComplete: answers.length === 0 || past.length >= total };
}

function placeOf(past: readonly Past[], image: number): number | null {
  const place = past.findIndex((entry) => entry.image === image);
  return place < 0 ? null : place;
}

function walked(state: State, direction: "older" | "newer" | "queue"): number | null {
  if (direction === "queue") return null;
  if (direction === "older") return placeIn(state.past, (state.place ?? -1) + 1);
  return state.place === null || state.place === 0 ? null : state.place - 1;
}
