// The explanation of the image on the screen; asked for once the image is painted, so that nothing waits for it.
import * as api from "../../api";
import { isGridShown, isPainted, keyOf, shownOf, type State } from "../../core/session";
import { useAsked } from "../../ui";

const AGAIN_MS = [500, 1_000, 2_000, 4_000]; // pauses before a question is repeated; the last one stays

/** Null while none is to be shown; `explanation` is undefined while it loads, null where there is none. */
export type Why = {
  readonly queued: api.Queued;
  readonly explanation: api.Explanation | null | undefined;
} | null;

export function useExplanation(state: State): Why {
  const shown = shownOf(state);
  const isShown = state.explains && !state.blind && shown !== null && !isGridShown(state);
  const key = isShown ? keyOf(shown) : null;
  const image = isShown && isPainted(state) ? shown.image : null;
  const ask = image === null ? null : () => api.explanation(image);
  const { answer, error, about } = useAsked(ask, image === null ? null : key, { again_ms: AGAIN_MS });
  if (!isShown) return null;
  const explanation = error === null ? answer : null;
  return { queued: shown, explanation: about === key ? explanation : undefined };
}
