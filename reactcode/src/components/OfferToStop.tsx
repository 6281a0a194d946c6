// AUTO offers to stop when hardly anything comes any more; it goes on until the person says so.
import type { Session } from "../useSession";
import { nameOf, percent } from "../words";
import { Press } from "./Press";

export function OfferToStop({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  if (!state.auto || !state.offer) return null;
  const known = state.queue.flatMap(({ probability }) => (probability === null ? [] : [probability]));
  const mean = known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0) / known.length;
  return (
    <section id="offer" className="offer" aria-label="AUTO">
      <p>
        What comes next is hardly {nameOf(state.status, "positive")} any more ({percent(mean)}).
      </p>
      <Press id="stop-auto" className="switch" onClick={() => engine.act("auto", "button")}>
        Stop AUTO
      </Press>
      <Press className="plain text" onClick={() => engine.autopilot.goOn()}>
        Go on
      </Press>
    </section>
  );
}
