// The table of keys: every action with the key it has at first, what it does, and where else than on an image it does it.
import type { Classes, Label, Source } from "../../api";
import type { Engine } from "../engine";
import { nextSpeed, PAUSED, shownOf, type Panel } from "../session";

interface Row {
  /** The key it has at first, as KeyboardEvent.key in lower case. */
  readonly key: string;
  /** For the list of keys; “positive” and “negative” stand for the names of the classes. */
  readonly does: string;
  readonly run: (engine: Engine, source: Source) => void;
  /** The label that it gives, if it is an answer. */
  readonly label?: Label;
  /** Works during a pause, which covers the image and keeps every answer back. */
  readonly paused?: true;
  /** Works in front of the grid, too; walking, zoom and AUTO belong to a single image. */
  readonly grid?: true;
  /** Goes on while the key is held down; any other counts once. */
  readonly repeats?: true;
}

const AROUND = { paused: true, grid: true } as const; // what opens a panel, or changes what is around the image

const answer = (label: Label) => ({
  label,
  run: (engine: Engine, source: Source) => engine.answer(label, source),
});
const panel = (name: Panel) => (engine: Engine) => engine.toggle(name);
const step = (step: Parameters<Engine["dispatch"]>[0]) => (engine: Engine) => engine.dispatch(step);

/** A new action is a row here; what it changes is a step of the session, or a method of the engine. */
const TABLE = {
  positive: { key: "f", does: "answer “positive”", ...answer("positive") },
  negative: { key: "j", does: "answer “negative”", ...answer("negative") },
  skipped: { key: "s", does: "skip this image", ...answer("skipped") },
  undo: {
    key: "backspace",
    does: "take the last answer back",
    run: (engine) => void engine.history.undo(),
    grid: true,
  },
  older: {
    key: "arrowleft",
    does: "walk back through past answers",
    run: (engine) => void engine.history.walk("older"),
    repeats: true,
  },
  newer: {
    key: "arrowright",
    does: "walk forward, and back to the queue",
    run: (engine) => void engine.history.walk("newer"),
    repeats: true,
  },
  pause: {
    key: " ",
    does: "pause or go on; while AUTO runs, answer “positive”",
    run: (engine, source) => engine.pause(source),
    paused: true,
  },
  auto: { key: "a", does: "AUTO on and off", run: step({ type: "auto" }), paused: true },
  faster: {
    key: "arrowup",
    does: "AUTO faster",
    run: (engine) => engine.setSpeed(nextSpeed(engine.state.speed, 1)),
    paused: true,
    repeats: true,
  },
  slower: {
    key: "arrowdown",
    does: "AUTO slower",
    run: (engine) => engine.setSpeed(nextSpeed(engine.state.speed, -1)),
    paused: true,
    repeats: true,
  },
  mine: {
    key: "x",
    does: "in AUTO: give the last press to the image that was on screen then",
    run: (engine, source) => engine.autopilot.mine(source),
  },
  grid: {
    key: "g",
    does: "answer many at once, as a grid",
    run: panel("grid"),
    paused: true,
    grid: true,
  },
  split: {
    key: "d",
    does: "ask these near duplicates one by one",
    run: (engine) => void engine.history.split(),
  },
  like: {
    key: "m",
    does: "more like this: ask the most similar images next; press again for the usual order",
    run: (engine) => void engine.wishes.moreLikeThis.press(shownOf(engine.state)),
  },
  prompt: { key: "/", does: "say in words what you look for", run: panel("prompt"), ...AROUND },
  zoom: {
    key: "z",
    does: "zoom to the file's own pixels, and back",
    run: (engine) => engine.dispatch({ type: "zoom", zoom: !engine.state.zoom }),
  },
  photo: { key: "w", does: "show the whole photo of a tile, and back", run: step({ type: "photo" }) },
  pin: { key: "k", does: "keep the zoom for the next images", run: step({ type: "pin" }) },
  tools: { key: "l", does: "contrast, brightness and the like", run: panel("tools"), ...AROUND },
  plain: { key: "n", does: "reset zoom, contrast and the like", run: step({ type: "plain" }), ...AROUND },
  blind: {
    key: "b",
    does: "hide or show the probability",
    run: (engine) => engine.dispatch({ type: "blind", blind: !engine.state.blind }),
    ...AROUND,
  },
  explanation: {
    key: "h",
    does: "why the model thinks so: where it looks, and the nearest answers",
    run: step({ type: "explains" }),
  },
  map: { key: "v", does: "map of all images: similar ones lie together", run: panel("map"), ...AROUND },
  progress: { key: "p", does: "progress", run: panel("progress"), ...AROUND },
  review: { key: "r", does: "review past answers", run: panel("review"), ...AROUND },
  finish: { key: "e", does: "finish: let the model label all other images", run: panel("finish"), ...AROUND },
  slips: {
    key: "c",
    does: "check answers that look wrong, one by one",
    run: panel("slips"),
    paused: true,
  },
  instructions: {
    key: "i",
    does: "instructions",
    run: (engine) => engine.openInstructions(),
    ...AROUND,
  },
  tensorboard: { key: "t", does: "TensorBoard", run: panel("tensorboard"), ...AROUND },
  help: { key: "?", does: "this list of keys", run: panel("help"), ...AROUND },
} as const satisfies Readonly<Record<string, Row>>;

export type Action = keyof typeof TABLE;

const ROWS: Readonly<Record<Action, Row>> = TABLE;

/** Every action with its key and what it does, in the order of the list of keys. */
export const KEYS = (Object.keys(TABLE) as Action[]).map((action) => ({ action, ...ROWS[action] }));

export type Bindings = Readonly<Record<Action, string>>;

export const DEFAULT_BINDINGS = Object.fromEntries(KEYS.map(({ action, key }) => [action, key])) as Bindings;

/** Do what a key or a button asks for. */
export function perform(engine: Engine, action: Action, source: Source): void {
  const { run, paused } = ROWS[action];
  if (engine.state.paused && !paused) engine.note(PAUSED);
  else run(engine, source);
}

/** The label an action gives, if it is an answer. */
export function labelOf(action: Action): Label | null {
  return ROWS[action].label ?? null;
}

/** Whether an action works in front of the grid. */
export function worksInGrid(action: Action): boolean {
  return ROWS[action].grid === true;
}

/** Whether a key that is held down goes on. */
export function goesOn(action: Action): boolean {
  return ROWS[action].repeats === true;
}

/** What a key does, with the answers under the names they have in this run. */
export function doing({ does }: { readonly does: string }, classes?: Classes): string {
  return does.replace(/“(positive|negative)”/, (_, label: keyof Classes) => `“${classes?.[label] ?? label}”`);
}
