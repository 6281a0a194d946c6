// Answers of the past: given, put right, taken back, walked through. Pure, like session.ts.
import type { Answered, Label, PastAnswer, Queued, Rejoined, Source, UndoAnswer } from "../../api";
import { count, named } from "../words";
import { alikeOf, countImages, folded, imagesOf } from "./alike";
import { withTakenBack } from "./grid";
import { noted, shownOf, type Past, type State } from "./state";

const MOST_AGAIN = 20; // so many images whose answers were taken back come next: as many as the largest grid has

export function withAnswer(state: State, label: Label, source: Source): State {
  const shown = shownOf(state);
  if (shown === null) return state;
  const { image, path, probability, version } = shown;
  const images = imagesOf(shown);
  const entry: Past = { image, path, probability, version, label, source, alike: alikeOf(shown) };
  const before = state.place === null ? undefined : state.past[state.place];
  return {
    ...(before
      ? relabelled(state, image, before.label, label)
      : {
          ...withoutCorrections(state, image),
          past: [entry, ...state.past.filter((other) => other.image !== image)],
        }),
    queue: (before ? state.queue : state.queue.slice(1)).filter(
      (other) => !images.includes(other.image) || (!before && other.again !== undefined),
    ),
    answered: new Map([...state.answered, ...images.map((each) => [each, Infinity] as const)]),
    last: { label, source, serial: (state.last?.serial ?? 0) + 1 },
  };
}

/** Many images have the same answer; they are too many to be walked through before the server lists them. */
export function withMany(state: State, images: readonly number[], label: Label): State {
  const numbers = new Set(images);
  const answered = new Map(state.answered);
  for (const image of images) answered.set(image, Infinity);
  return {
    ...state,
    answered,
    queue: state.queue.filter(({ image }) => !numbers.has(image)),
    pastComplete: false,
    last: { label, source: "map", serial: (state.last?.serial ?? 0) + 1 },
  };
}

/** Many answers were taken back before they were sent. */
export function withoutMany(state: State, images: readonly number[]): State {
  const answered = new Map(state.answered);
  for (const image of images) answered.delete(image);
  return { ...state, answered };
}

/** Changes the label of a past answer; its image keeps its place among the past ones. */
export function withCorrection(state: State, { image }: Queued, label: Label, from?: Label): State {
  const last = { label, source: "key", serial: (state.last?.serial ?? 0) + 1 } as const;
  const next =
    from === undefined
      ? withLabel(withoutCorrections(state, image), image, label)
      : relabelled(state, image, from, label);
  return { ...next, last };
}

function relabelled(state: State, image: number, from: Label, to: Label): State {
  return { ...withLabel(state, image, to), corrections: [...state.corrections, { image, from, to }] };
}

/** Forgets the corrections of an image, because undo will ask about its newer answer. */
function withoutCorrections(state: State, image: number): State {
  return { ...state, corrections: state.corrections.filter((correction) => correction.image !== image) };
}

function withLabel(state: State, image: number, label: Label): State {
  const change = { label, source: "key" };
  return {
    ...state,
    past: state.past.map((entry) => (entry.image === image ? { ...entry, ...change } : entry)),
  };
}

/** The state before the image's last correction; null where there was none, and its answer was the first. */
function withoutCorrection(state: State, image: number): State | null {
  const place = state.corrections.findLastIndex((correction) => correction.image === image);
  const correction = state.corrections[place];
  if (correction === undefined) return null;
  return { ...withLabel(state, image, correction.from), corrections: state.corrections.toSpliced(place, 1) };
}

export function withoutLatest(state: State, image: number): State {
  return withoutCorrection(state, image) ?? withoutAnswer(state, image);
}

function withoutAnswer(state: State, image: number): State {
  const answered = new Map(state.answered);
  const entry = state.past.find((other) => other.image === image);
  for (const each of [image, ...(entry ? alikeOf(entry) : [])]) answered.delete(each);
  const place = state.past.findIndex((entry) => entry.image === image);
  const past = state.past.filter((entry) => entry.image !== image);
  const isBefore = state.place !== null && place >= 0 && place <= state.place;
  return { ...state, answered, past, place: isBefore ? placeIn(past, (state.place ?? 0) - 1) : state.place };
}

function placeIn(past: readonly Past[], place: number): number | null {
  return past.length === 0 ? null : Math.min(Math.max(place, 0), past.length - 1);
}

/**
 * Images whose answers were taken back are asked again, at once and in the order they had;
 * those that had been answered before have that answer again, and are not.
 */
export function withUndone(
  before: State,
  { label, images: taken, taken: answers = taken.length }: UndoAnswer,
): State {
  if (answers > MOST_AGAIN) return withManyUndone(before, answers);
  const isCorrection = ({ image }: Answered) => before.corrections.some((one) => one.image === image);
  const state = taken.reduce((next, { image }) => withoutCorrection(next, image ?? NaN) ?? next, before);
  const images = taken.filter((answer) => !isCorrection(answer));
  const name = label === "skipped" ? "skipped" : (state.status?.classes[label] ?? label);
  const what = answers === 1 ? name : `${count(answers)} answers`;
  const again = images.flatMap((answer) => askedAgain(state, answer));
  const gone = images.find(({ image }) => image === null);
  const sentence = gone ? `Taken back; the file is gone: ${named(gone.path)}` : `Taken back: ${what}`;
  if (images.length === 0) return noted({ ...state, undoing: false }, sentence);
  const without = again.reduce((next, { image }) => withoutAnswer(next, image), state);
  const numbers = new Set(again.flatMap(imagesOf));
  const queue = [...again, ...state.queue.filter(({ image }) => !numbers.has(image))];
  const asked: State = { ...without, queue, place: null, painted: null, undoing: false };
  return noted(withTakenBack(asked, images), sentence);
}

/** So many were answered on the map: they are asked again in their order, and listed as the server has them now. */
function withManyUndone(state: State, answers: number): State {
  const past = state.past.filter(({ source }) => source !== "map");
  const next = { ...state, past, pastComplete: false, place: null, undoing: false };
  return noted(next, `Taken back: ${count(answers)} answers`);
}

/** Joins near duplicates that were split; if their question is open, it comes next. */
export function withRejoined(state: State, { together, images }: Rejoined): State {
  const again = images.map((queued) => {
    const known = state.queue.find(({ image }) => image === queued.image);
    return { ...queued, probability: known?.probability ?? null };
  });
  const queue = [...again, ...state.queue.filter(({ image }) => !together.includes(image))];
  const listed = new Set(state.past.map(({ image }) => image));
  const past = state.past.map((entry) =>
    together.includes(entry.image)
      ? { ...entry, alike: together.filter((image) => !listed.has(image)) }
      : entry,
  );
  const next: State =
    again.length === 0
      ? { ...state, past, undoing: false }
      : { ...state, queue, place: null, painted: null, undoing: false };
  return noted(withTakenBack(next, images), "Together again: one answer for all of them.");
}

function askedAgain(state: State, { image, path, version, alike }: Answered): Queued[] {
  const probability = state.past.find((entry) => entry.image === image)?.probability ?? null;
  return image === null ? [] : [{ image, path, version, probability, alike: alike ?? [] }];
}

export function withPast(state: State, answers: readonly PastAnswer[], total: number): State {
  const known = new Set(state.past.map((entry) => entry.image));
  const older = folded(answers).flatMap(({ image, path, probability, version, label, source, alike }) =>
    image === null || known.has(image)
      ? []
      : [{ image, path, probability, version, label, source, alike: alike ?? [], isOlder: true }],
  );
  const past = [...state.past, ...older];
  return { ...state, past, pastComplete: answers.length === 0 || countImages(past) >= total };
}

export function placeOf(past: readonly Past[], image: number): number | null {
  const place = past.findIndex((entry) => entry.image === image);
  return place < 0 ? null : place;
}

export function walked(state: State, direction: "older" | "newer" | "queue"): number | null {
  if (direction === "queue") return null;
  if (direction === "older") return placeIn(state.past, (state.place ?? -1) + 1);
  return state.place === null || state.place === 0 ? null : state.place - 1;
}
