// How probable a positive is, and the eye that hides it: a score that one sees draws the answer towards it.
import { keyLabel } from "../bindings";
import { probabilityOf, shownOf } from "../state";
import type { Session } from "../useSession";
import { nameOf, percent } from "../words";
import { Icon } from "./Icon";
import { Press } from "./Press";

export function Probability({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const { blind } = state;
  const offer = blind ? "Show the probability" : "Hide the probability";
  return (
    <>
      <span
        id="probability"
        className="probability"
        data-blind={blind}
        title={blind ? "the probability is hidden" : `probability of ${nameOf(state.status, "positive")}`}
      >
        {blind ? "hidden" : percent(probabilityOf(state, shownOf(state)))}
      </span>
      <Press
        id="blind"
        className="plain small"
        aria-label={offer}
        aria-pressed={blind}
        title={`${offer} (${keyLabel(bindings.blind)})`}
        onClick={() => engine.act("blind", "button")}
      >
        <Icon name={blind ? "hidden" : "eye"} />
      </Press>
    </>
  );
}
