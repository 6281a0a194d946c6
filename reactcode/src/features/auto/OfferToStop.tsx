// AUTO offers to stop when hardly anything comes any more; it goes on until the person says so.
import { perform } from "../../core/keys";
import { nameOf, noun, percent } from "../../core/words";
import { type Session, Press } from "../../ui";

export function OfferToStop({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  if (!state.auto || !state.offer) return null;
  const known = state.queue.flatMap(({ probability }) => (probability === null ? [] : [probability]));
  const mean = known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
  return (
    <section id="offer" className="offer" aria-label="AUTO">
      <p>
        The next {noun(state.status)} are unlikely to be “{nameOf(state.status, "positive")}”
        {!state.blind && ` (${percent(mean)})`}.
      </p>
      <Press id="stop-auto" className="switch" onClick={() => perform(engine, "auto", "button")}>
        Stop AUTO
      </Press>
      <Press className="plain text" onClick={() => engine.autopilot.goOn()}>
        Go on
      </Press>
    </section>
  );
}
