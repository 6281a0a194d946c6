// What the page knows, and what can be read off it.
import type {
  Counts,
  Label,
  PastAnswer,
  QueueAnswer,
  Queued,
  Rejoined,
  Source,
  Status,
  UndoAnswer,
} from "../../api";
import { NO_GRID, type Grid, type GridStep } from "./gridState";
import { PLAIN, type Look } from "./look";
import { SPEED } from "./speed";

export type Panel =
  | "help"
  | "info"
  | "tools"
  | "tensorboard"
  | "progress"
  | "review"
  | "finish"
  | "slips"
  | "instructions"
  | "grid"
  | "map"
  | "import"
  | "prompt";
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
  /** How it was given. */
  readonly source: string;
  /** Answered before this visit, or by somebody else. */
  readonly isOlder?: boolean;
}

/** A past answer that was given another label here. */
export interface Correction {
  readonly image: number;
  readonly from: Label;
  readonly to: Label;
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
  /** Oldest first, less those taken back. */
  readonly corrections: readonly Correction[];
  /** Which of `past` is looked at; null: the queue. */
  readonly place: number | null;
  readonly waiting: number;
  readonly stuck: boolean;
  /** Answers wait, and for seconds none has been stored. */
  readonly held: boolean;
  readonly undoing: boolean;
  readonly auto: boolean;
  readonly speed: number;
  readonly paused: boolean;
  readonly idle: boolean;
  /** The last press that was given to an earlier image; null once it is corrected, or AUTO is switched. */
  readonly late: Late | null;
  /** Whether AUTO offers to stop, because hardly any positive comes next. */
  readonly offer: boolean;
  readonly visible: boolean;
  readonly panel: Panel | null;
  readonly grid: Grid;
  readonly zoom: boolean;
  /** The view stays as it is from image to image. */
  readonly pinned: boolean;
  /** The photo of the tile is shown in its place. */
  readonly photo: boolean;
  readonly look: Look;
  /** Whether probabilities are hidden: a visible score draws the answer towards it. */
  readonly blind: boolean;
  /** Whether the explanation of the model is shown. */
  readonly explains: boolean;
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
  corrections: [],
  place: null,
  waiting: 0,
  stuck: false,
  held: false,
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
  pinned: false,
  photo: false,
  look: PLAIN,
  blind: false,
  explains: false,
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
      /** How many decoded images stay next, whatever the new order says. */
      readonly keep: number;
    }
  | { readonly type: "decoded" | "unreadable"; readonly queued: Queued }
  | { readonly type: "painted"; readonly key: string }
  | { readonly type: "answered"; readonly label: Label; readonly source: Source }
  | { readonly type: "answeredMany"; readonly images: readonly number[]; readonly label: Label }
  | { readonly type: "unansweredMany"; readonly images: readonly number[] }
  | { readonly type: "again"; readonly images: readonly Queued[]; readonly how: Again }
  | { readonly type: "unasked"; readonly images: readonly number[] }
  | { readonly type: "late"; readonly late: Omit<Late, "serial"> | null }
  | { readonly type: "offer"; readonly offer: boolean }
  | {
      readonly type: "corrected";
      readonly queued: Queued;
      readonly label: Label;
      /** The earlier label, if undo is to bring it back rather than to ask again. */
      readonly from?: Label;
    }
  | { readonly type: "waiting"; readonly waiting: number; readonly images: readonly number[] }
  | { readonly type: "stuck"; readonly stuck: boolean }
  | { readonly type: "held"; readonly held: boolean }
  | { readonly type: "stored"; readonly images: readonly number[]; readonly counts: Counts }
  | { readonly type: "refused"; readonly queued: Queued; readonly sentence: string }
  | { readonly type: "undoing" }
  | { readonly type: "undone"; readonly answer: UndoAnswer | Rejoined }
  | { readonly type: "undoFailed"; readonly sentence: string }
  | { readonly type: "pastLoaded"; readonly answers: readonly PastAnswer[]; readonly total: number }
  | { readonly type: "walk"; readonly direction: "older" | "newer" | "queue" }
  | { readonly type: "visit" | "split"; readonly image: number }
  | { readonly type: "auto" | "pause" | "idle" | "back" | "pin" | "photo" | "plain" | "explains" }
  | { readonly type: "zoom"; readonly zoom: boolean }
  | { readonly type: "look"; readonly look: Look }
  | { readonly type: "blind"; readonly blind: boolean }
  | { readonly type: "speed"; readonly speed: number }
  | { readonly type: "visible"; readonly visible: boolean }
  | { readonly type: "panel"; readonly panel: Panel | null }
  | { readonly type: "note"; readonly text: string };

// --- what can be read off the state ----------------------------------------------------------------------------------

/** The identity of a picture: a file with new content is another picture. */
export function keyOf(queued: Queued): string {
  return `${queued.image}@${queued.version ?? ""}`;
}

/** The note that an answer gets while the pause covers the image. */
export const PAUSED = "Paused: go on first.";

/** What is on the stage: an image of the past, or the one being asked. */
export function shownOf(state: State): Asked | null {
  return (state.place === null ? state.queue[0] : state.past[state.place]) ?? null;
}

export function isPainted(state: State): boolean {
  const shown = shownOf(state);
  return shown !== null && state.painted === keyOf(shown);
}

/** The probability that the person may see of an image. */
export function probabilityOf(state: State, queued: Queued | null): number | null {
  return state.blind ? null : (queued?.probability ?? null);
}

/** Whether an answer would be for an image that the person has seen. */
export function canAnswer(state: State): boolean {
  return isPainted(state) && !state.undoing && !state.idle && !state.paused;
}

/** Whether AUTO is on and not paused: then Space says positive. */
export function autoRuns(state: State): boolean {
  return state.auto && !state.paused;
}

/** Whether the time of the image shown runs down. */
export function countsDown(state: State): boolean {
  const isStudied = state.photo || (state.zoom && !state.pinned);
  const isWatched = state.visible && state.panel === null && state.place === null && !isStudied;
  const isSafe = state.link === "here" && state.trouble === null && !state.stuck && !isLoopDown(state);
  return autoRuns(state) && isWatched && isSafe && canAnswer(state);
}

/** Whether a loop asks for attention. */
export function isLoopDown({ status }: State): boolean {
  return status !== null && Object.values(status.loops).includes("down");
}

/** Whether a person is at work; images per second are counted over this time. */
export function atWork(state: State): boolean {
  const isWatched = state.panel === null || state.panel === "grid";
  return state.visible && !state.paused && !state.idle && isWatched;
}

export function answeredCount(status: Status): number {
  return status.positives + status.negatives + status.skipped;
}

/** How many images were answered on this visit, without those taken back. */
export function answeredHere(state: State): number {
  return state.past.filter(({ isOlder }) => !isOlder).length;
}

/** How many of those are positive. */
export function foundHere(state: State): number {
  return state.past.filter(({ isOlder, label }) => !isOlder && label === "positive").length;
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

/** With a quiet sentence for the eye. */
export function noted(state: State, text: string): State {
  return { ...state, note: { text, serial: (state.note?.serial ?? 0) + 1 } };
}
