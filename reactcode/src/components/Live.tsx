// What a screen reader says: the answer just given, and which image is there now.
import { isPainted, probabilityOf, shownOf, type State } from "../session";
import { nameOf, percent } from "../words";

export function Live({ state }: { readonly state: State }) {
  const shown = shownOf(state);
  const answer = state.last ? `Answered: ${nameOf(state.status, state.last.label)}. ` : "";
  const probability = state.blind ? "" : `, probability ${percent(probabilityOf(state, shown))}`;
  const image = shown && isPainted(state) ? `Image ${shown.path}${probability}.` : "";
  return (
    <p className="unseen" aria-live="polite">
      {answer + image}
    </p>
  );
}
