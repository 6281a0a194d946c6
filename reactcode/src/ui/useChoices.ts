// What the menus offer, which the server knows; null until it has said so.
import { choices, type Choices } from "../api";
import { useAsked } from "./useAsked";

const AGAIN_MS = [3_000];

export function useChoices(isWanted = true): Choices | null {
  return useAsked(isWanted ? choices : null, null, { again_ms: AGAIN_MS }).answer;
}
