// Answers that may be wrong, in words, and what became of them.
import type { Label, Slip, Status } from "../../api";
import type { Correction } from "../../core/session";
import { duration, nameOf, percent, sourceName } from "../../core/words";

/** What was answered, by whom and how fast. */
export function whatWasSaid({ source, shown_ms, client, label }: Slip, me: string, status: Status | null) {
  const said = `“${nameOf(status, label)}”`;
  if (source === "timeout") return `nobody pressed in time, so it became ${said}`;
  const who = client === me ? `you said ${said}` : `the answer was ${said}`;
  const how = source === "key" || source === "button" ? "" : ` (${sourceName(source)})`;
  return `${who}${shown_ms === null ? "" : ` in ${duration(shown_ms)}`}${how}`;
}

/** What a model that has not learnt the answer says: the probability of the opposite one. */
export function whatTheModelSays({ label, held_out, why }: Slip, status: Status | null): string {
  const other: Label = label === "positive" ? "negative" : "positive";
  const probability = other === "positive" ? held_out : 1 - held_out;
  const haste = why === "fast" ? "that was fast, and " : "";
  return `${haste}a model that did not know it gives “${nameOf(status, other)}” ${percent(probability)}`;
}

export interface Outcome {
  readonly confirmed: number;
  readonly changed: number;
}

/** How many of the images answered here have another label than before, and how many the same. */
export function outcomeOf(corrections: readonly Correction[]): Outcome {
  const latest = latestOf(corrections);
  const before = new Map<number | null, Label>(
    corrections.toReversed().map(({ image, from }) => [image, from]),
  );
  const changed = [...latest].filter(([image, label]) => before.get(image) !== label).length;
  return { changed, confirmed: latest.size - changed };
}

/** The label that each image was given here. */
export function latestOf(corrections: readonly Correction[]): ReadonlyMap<number | null, Label> {
  return new Map(corrections.map(({ image, to }) => [image, to]));
}
