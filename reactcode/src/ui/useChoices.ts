// What the menus offer: strategies, formats and usual values, as the server declares them.
import { choices, type Choices } from "../api";
import { useAsked } from "./useAsked";

const AGAIN_MS = [1000, 5000];

/** Null until the server has said it. */
export function useChoices(): Choices | null {
  return useAsked<Choices>(choices, "choices", { again_ms: AGAIN_MS }).answer;
}
