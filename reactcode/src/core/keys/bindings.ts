// Which key does what: reading a key press, rebinding, and how a key is written.
import type { Classes } from "../../api";
import { keep, kept } from "../browser";
import { DEFAULT_BINDINGS, KEYS, doing, type Action, type Bindings } from "./keys";

/**
 * The key of an event as bindings name it; null for what is never a key of ours.
 * On a layout of other letters (Cyrillic, Greek) the key's place on the keyboard counts instead.
 */
export function keyName(event: KeyboardEvent): string | null {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return null;
  const isForeign = event.key.length === 1 && event.key > "\u024f" && event.code.startsWith("Key");
  return (isForeign ? event.code.slice(3) : event.key).toLowerCase();
}

const RANGE_KEYS = ["arrowleft", "arrowright", "arrowup", "arrowdown", "home", "end", "pageup", "pagedown"];
const PRESS_KEYS = [" ", "enter"];
const TEXTLESS = ["range", "checkbox", "radio", "button", "submit", "reset"];

/** Whether the element that has the focus needs this key for itself. */
export function isTaken(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  if (target instanceof HTMLInputElement) {
    if (!TEXTLESS.includes(target.type)) return true;
    return (target.type === "range" ? RANGE_KEYS : PRESS_KEYS).includes(key);
  }
  return target.matches("button, a[href], summary") && PRESS_KEYS.includes(key);
}

export function actionOf(bindings: Bindings, key: string): Action | null {
  return KEYS.find(({ action }) => bindings[action] === key)?.action ?? null;
}

const RESERVED = [
  ..."0123456789+-=_",
  "escape",
  "tab",
  "enter",
  "shift",
  "control",
  "alt",
  "meta",
  "capslock",
  "dead",
  "unidentified",
];

/** The bindings with one key changed, or the sentence that says why not. */
export function rebound(
  bindings: Bindings,
  action: Action,
  key: string,
  classes?: Classes,
): Bindings | string {
  if (RESERVED.includes(key)) return `${keyLabel(key)} cannot be used; the page or the browser needs it.`;
  const holder = KEYS.find((other) => other.action !== action && bindings[other.action] === key);
  if (holder) return `${keyLabel(key)} is taken by “${doing(holder, classes)}”; give that another key first.`;
  return { ...bindings, [action]: key };
}

const SPARE = [..."abcdefghijklmnopqrstuvwxyz,.;/[]'"];

const LABELS: Readonly<Record<string, string>> = {
  " ": "Space",
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  backspace: "⌫",
  delete: "Del",
};

/** How a key is written for a person. */
export function keyLabel(key: string): string {
  return LABELS[key] ?? (key.length === 1 ? key.toUpperCase() : key.charAt(0).toUpperCase() + key.slice(1));
}

/** What was kept; an action that is newer than that, and whose key is taken, gets another one. */
export function keptBindings(): Bindings {
  return kept("ia:keys", (value) => {
    const known = (value ?? {}) as Partial<Record<Action, unknown>>;
    const bindings: Partial<Record<Action, string>> = {};
    for (const { action } of KEYS) {
      const key = known[action];
      if (typeof key === "string") bindings[action] = key;
    }
    for (const { action, key } of KEYS) {
      const taken = Object.values(bindings);
      bindings[action] ??= [key, ...SPARE].find((other) => !taken.includes(other)) ?? key;
    }
    const isClear = new Set(Object.values(bindings)).size === KEYS.length;
    return isClear ? (bindings as Bindings) : DEFAULT_BINDINGS;
  });
}

export function keepBindings(bindings: Bindings): void {
  keep("ia:keys", bindings);
}
