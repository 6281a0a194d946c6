// Near duplicates: one question, one answer for all of them. Pure, like session.ts.
import type { PastAnswer, Queued } from "../../api";
import type { State } from "./state";

/** The near duplicates that get the same answer. */
export function alikeOf({ alike }: Pick<Queued, "alike">): readonly number[] {
  return alike ?? [];
}

/** All images that an answer counts for, the one on the screen first. */
export function imagesOf(queued: Pick<Queued, "image" | "alike">): readonly number[] {
  return [queued.image, ...alikeOf(queued)];
}

/** How many images these questions are about. */
export function countImages(questions: readonly Queued[]): number {
  return questions.reduce((sum, queued) => sum + imagesOf(queued).length, 0);
}

/** How many images were answered here without the server knowing of it yet. */
export function imagesWaiting({ answered, waiting }: State): number {
  return Math.max(waiting, [...answered.values()].filter((tick) => tick === Infinity).length);
}

/** From now on an answer to the image, or its correction, counts for this image alone. */
export function withSplit(state: State, image: number): State {
  const alone = <T extends Queued>(queued: T): T =>
    imagesOf(queued).includes(image) ? { ...queued, alike: [] } : queued;
  const cells = state.grid.cells.map(alone);
  return {
    ...state,
    queue: state.queue.map(alone),
    past: state.past.map(alone),
    grid: { ...state.grid, cells },
  };
}

/** Answers of the past, newest first, with near duplicates that were answered together as one. */
export function folded(answers: readonly PastAnswer[]): readonly PastAnswer[] {
  const copiesOf = ({ image }: PastAnswer) =>
    answers.flatMap((copy) => (isCopy(copy) && copy.copy_of === image ? [copy.image ?? -1] : []));
  const shown = answers.filter((answer) => !isCopy(answer));
  return shown.map((answer) => ({ ...answer, alike: copiesOf(answer).filter((image) => image >= 0) }));
}

/** How many answers at the end are copies of an image on the next page, which loads them again together with it. */
export function copiesAtEnd(answers: readonly PastAnswer[]): number {
  const last = answers.findLastIndex((answer) => !isCopy(answer));
  return last < 0 ? 0 : answers.length - 1 - last;
}

function isCopy({ copy_of }: PastAnswer): boolean {
  return copy_of !== undefined && copy_of !== null;
}
