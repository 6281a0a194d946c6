// Why the model thinks so, of the image on the screen: asked for once it is painted, so that nothing waits for it.
import { useEffect, useState } from "react";
import * as api from "../../api";
import { isGridShown, isPainted, keyOf, shownOf, type State } from "../../core/session";

const AGAIN_MS = [500, 1_000, 2_000, 4_000]; // after so long, the last one again and again

/** Null while it is not to be shown; `explanation` is undefined while it comes, null where there is none. */
export type Why = {
  readonly queued: api.Queued;
  readonly explanation: api.Explanation | null | undefined;
} | null;

export function useExplanation(state: State): Why {
  const shown = shownOf(state);
  const isShown = state.explains && !state.blind && shown !== null && !isGridShown(state);
  const [known, setKnown] = useState<{ key: string; explanation: api.Explanation | null } | null>(null);
  const key = isShown ? keyOf(shown) : null;
  const image = isShown && isPainted(state) ? shown.image : null;
  useEffect(() => {
    if (image === null || key === null) return;
    let isOff = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (attempt: number) =>
      void api.explanation(image).then(
        (explanation) => isOff || setKnown({ key, explanation }),
        () => {
          if (isOff) return;
          setKnown({ key, explanation: null });
          timer = setTimeout(() => ask(attempt + 1), AGAIN_MS[Math.min(attempt, AGAIN_MS.length - 1)]);
        },
      );
    ask(0);
    return () => {
      isOff = true;
      clearTimeout(timer);
    };
  }, [image, key]);
  if (!isShown) return null;
  return { queued: shown, explanation: known?.key === key ? known.explanation : undefined };
}
