// How probable a positive is, and the eye that hides it: a score that one sees draws the answer towards it.
import { keyLabel, perform } from "../../core/keys";
import { probabilityOf, shownOf } from "../../core/session";
import { nameOf, percent } from "../../core/words";
import { type Session, Icon, Press } from "../../ui";

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
        onClick={() => perform(engine, "blind", "button")}
      >
        <Icon name={blind ? "hidden" : "eye"} />
      </Press>
    </>
  );
}
