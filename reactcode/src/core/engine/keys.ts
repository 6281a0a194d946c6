// The table of keys: every action, the key it has at first, and what it does.
import type { Classes, Label } from "../../api";

export type Action =
  | "positive"
  | "negative"
  | "skipped"
  | "undo"
  | "older"
  | "newer"
  | "pause"
  | "auto"
  | "faster"
  | "slower"
  | "mine"
  | "grid"
  | "split"
  | "like"
  | "zoom"
  | "photo"
  | "pin"
  | "tools"
  | "plain"
  | "blind"
  | "explanation"
  | "progress"
  | "review"
  | "finish"
  | "slips"
  | "instructions"
  | "tensorboard"
  | "help";

/** Every action that has a key: the key it has at first, as KeyboardEvent.key in lower case, and what it does. */
export const KEYS: readonly { readonly action: Action; readonly key: string; readonly does: string }[] = [
  { action: "positive", key: "f", does: "answer “positive”" },
  { action: "negative", key: "j", does: "answer “negative”" },
  { action: "skipped", key: "s", does: "skip this image" },
  { action: "undo", key: "backspace", does: "take the last answer back" },
  { action: "older", key: "arrowleft", does: "walk back through past answers" },
  { action: "newer", key: "arrowright", does: "walk forward, and back to the queue" },
  { action: "pause", key: " ", does: "pause, and go on; while AUTO runs: “positive”" },
  { action: "auto", key: "a", does: "AUTO on and off" },
  { action: "faster", key: "arrowup", does: "AUTO faster" },
  { action: "slower", key: "arrowdown", does: "AUTO slower" },
  { action: "mine", key: "x", does: "the last press in AUTO was for the image then on screen" },
  { action: "grid", key: "g", does: "answer many at once, as a grid" },
  { action: "split", key: "d", does: "near duplicates are different: ask them one by one" },
  { action: "like", key: "m", does: "more like this: the most similar come next; again: in the usual order" },
  { action: "zoom", key: "z", does: "zoom to the file's own pixels, and back" },
  { action: "photo", key: "w", does: "the whole photo that a tile is of, and back" },
  { action: "pin", key: "k", does: "keep the zoom for the next images" },
  { action: "tools", key: "l", does: "contrast, brightness and the like" },
  { action: "plain", key: "n", does: "reset zoom, contrast and the like" },
  { action: "blind", key: "b", does: "hide or show the probability" },
  {
    action: "explanation",
    key: "h",
    does: "why the model thinks so: where it looks, and the nearest answers",
  },
  { action: "progress", key: "p", does: "progress" },
  { action: "review", key: "r", does: "review past answers" },
  { action: "finish", key: "e", does: "finish: let the model label the rest" },
  { action: "slips", key: "c", does: "check answers that look wrong, one by one" },
  { action: "instructions", key: "i", does: "instructions" },
  { action: "tensorboard", key: "t", does: "TensorBoard" },
  { action: "help", key: "?", does: "this list of keys" },
];

/** What a key does, with the answers under the names they have in this run. */
export function doing({ does }: { readonly does: string }, classes?: Classes): string {
  return does.replace(/“(positive|negative)”/, (_, label: keyof Classes) => `“${classes?.[label] ?? label}”`);
}

export type Bindings = Readonly<Record<Action, string>>;

export const DEFAULT_BINDINGS = Object.fromEntries(KEYS.map(({ action, key }) => [action, key])) as Bindings;

const ANSWERS = { positive: "positive", negative: "negative", skipped: "skipped" } as const;

/** The label an action gives, if it is an answer. */
export function labelOf(action: Action): Label | null {
  return action in ANSWERS ? ANSWERS[action as keyof typeof ANSWERS] : null;
}
