// How numbers, labels and paths are written for a person.
import type { Label, Status } from "./api";

const WHOLE = new Intl.NumberFormat("en", { useGrouping: "min2" });

export function count(value: number): string {
  return WHOLE.format(value);
}

export function percent(probability: number | null): string {
  return probability === null ? "–" : `${Math.round(100 * probability)} %`;
}

export function perSecond(value: number): string {
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

/** What a label is called in this run. */
export function nameOf(status: Status | null, label: Label): string {
  return label === "skipped" ? "skipped" : (status?.classes[label] ?? label);
}

const TAIL = 16;

/** A path in two parts: the first may be cut short on screen, the second (the end of the name) is always seen. */
export function inTwo(path: string): readonly [string, string] {
  const letters = Array.from(path);
  const slash = letters.lastIndexOf("/");
  const tail = Math.min(letters.length - slash - 1, TAIL);
  return [letters.slice(0, letters.length - tail).join(""), letters.slice(letters.length - tail).join("")];
}
