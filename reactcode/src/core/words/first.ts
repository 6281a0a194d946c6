// What is asked before all else, in words: how much of it is left, and that it is over.
import type { AskedFirst } from "../../api";
import { count } from "./words";

const WORDS = { doubtful: "doubtful", like: "most similar", map: "chosen", random: "random" } as const;

export function leftInWords({ why, images, left }: AskedFirst): string {
  return `${WORDS[why]}: ${count(left)} of ${count(images)} left`;
}

export function overInWords({ why, images }: AskedFirst): string {
  const what = WORDS[why];
  const all = images === 1 ? `The one ${what} image is` : `All ${count(images)} ${what} images are`;
  const over = why === "doubtful" ? "No doubtful image is left" : `${all} answered`; // the model has dropped some
  return `${over}; now the questions come in the usual order.`;
}
