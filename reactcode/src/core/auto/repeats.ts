// How good AUTO is: which of its answers are asked again, blindly, and when.
import type { Queued } from "../../api";
import type { Asked } from "../session";

const SHARE = 0.02; // of AUTO's own answers
const AFTER = 20; // answers at least

export class Repeats {
  private waiting: { readonly queued: Queued; due: number }[] = [];
  private readonly asked = new Set<number>();

  constructor(private readonly random: () => number) {}

  /** Whether an image has been asked again. */
  includes(image: number): boolean {
    return this.asked.has(image);
  }

  /** AUTO has answered an image. Returns the images to ask again now, of those whose answer stands. */
  answered(shown: Asked, stands: (queued: Queued) => boolean): readonly Queued[] {
    for (const repeat of this.waiting) repeat.due -= 1;
    const due = this.waiting.filter((repeat) => repeat.due <= 0 && stands(repeat.queued));
    this.waiting = this.waiting.filter((repeat) => repeat.due > 0);
    const images = due.map(({ queued }) => queued);
    for (const { image } of images) this.asked.add(image);
    const isChosen = shown.again === undefined && this.random() < SHARE;
    if (isChosen) this.waiting.push({ queued: shown, due: AFTER });
    return images;
  }

  /** AUTO ends: what waits is not asked again. */
  forget(): void {
    this.waiting = [];
  }
}
