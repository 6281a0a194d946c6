// Past answers as the review shows them: with the changes since it was opened.
import type { Label, PastAnswer } from "../../api";
import type { Correction, Past } from "../../core/session";

export interface Seen extends PastAnswer {
  readonly isChanged: boolean;
}

export function seenWith(
  answers: readonly PastAnswer[],
  corrections: readonly Correction[],
): readonly Seen[] {
  const latest = new Map<number | null, Label>(corrections.map(({ image, to }) => [image, to]));
  const first = new Map<number | null, Label>(
    corrections.toReversed().map(({ image, from }) => [image, from]),
  );
  return answers.map((answer) => {
    const label = latest.get(answer.image) ?? answer.label;
    return { ...answer, label, isChanged: label !== (first.get(answer.image) ?? label) };
  });
}

/** The answer as one that can be changed; null where the file is gone. */
export function changeable({ image, path, version, probability, label, source }: PastAnswer): Past | null {
  return image === null ? null : { image, path, version, probability, label, source };
}

/** How many cells stand beside one another. */
export function columnsOf(cells: HTMLElement | null): number {
  const all = Array.from(cells?.children ?? []) as HTMLElement[];
  return Math.max(1, all.filter(({ offsetTop }) => offsetTop === all[0]?.offsetTop).length);
}

/** By how many answers a key moves; null for other keys. `columns` is null where one answer is shown. */
export function stepOf(key: string, columns: number | null): number | null {
  if (key === "arrowleft") return -1;
  if (key === "arrowright") return 1;
  if (columns === null) return null;
  if (key === "arrowup") return -columns;
  if (key === "arrowdown") return columns;
  if (key === "home") return -Infinity;
  return key === "end" ? Infinity : null;
}
