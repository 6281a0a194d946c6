// What a screen reader says: the answer just given, and which image is there now.
import { keyLabel } from "../../core/keys";
import { isGridShown, isPainted, probabilityOf, shownOf, type State } from "../../core/session";
import { named, tileOf, nameOf, percent } from "../../core/words";
import type { Session } from "../../ui";

export function Live({ session }: { readonly session: Session }) {
  const { state, bindings } = session;
  const shown = shownOf(state);
  const answer = state.last ? `Answered: ${nameOf(state.status, state.last.label)}. ` : "";
  const probability = state.blind ? "" : `, probability ${percent(probabilityOf(state, shown))}`;
  const what = shown && tileOf(shown.path) ? "Tile" : "Image";
  const image = shown && isPainted(state) ? `${what} ${named(shown.path)}${probability}.` : "";
  return (
    <p className="unseen" aria-live="polite">
      {isGridShown(state)
        ? answeredTogether(state)
        : state.paused
          ? `Paused. ${keyLabel(bindings.pause)} goes on.`
          : answer + image}
    </p>
  );
}

function answeredTogether({ grid, status }: State): string {
  if (grid.last === null) return "";
  const { positive, negative, skipped } = grid.last;
  const all = `${positive + negative + skipped} answered: ${positive} ${nameOf(status, "positive")}`;
  return skipped > 0 ? `${all}, ${skipped} skipped` : all;
}
