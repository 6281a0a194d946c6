// What is asked before all else, in words: how much of it is left, and that it is over.
import type { AskedFirst } from "./api";
import { count } from "./words";

export function leftInWords({ why, images, left }: AskedFirst): string {
  const what = why === "doubtful" ? "doubtful" : "most similar";
  return `${what}: ${count(left)} of ${count(images)} left`;
}

export function overInWords({ why, images }: AskedFirst): string {
  const what = why === "doubtful" ? "doubtful" : "most similar";
  const all = images === 1 ? `The one ${what} image is` : `All ${count(images)} ${what} images are`;
  return `${all} answered; now it goes on in the usual order.`;
}
