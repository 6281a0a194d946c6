// While past answers are looked at: which one this is, and the way back.
import { keyLabel, perform } from "../../core/keys";
import { answeredCount } from "../../core/session";
import { count, nameOf } from "../../core/words";
import { type Session, Icon, Press } from "../../ui";

export function Walk({ session }: { readonly session: Session }) {
  const { engine, state, bindings } = session;
  const { place, past, status } = state;
  const entry = place === null ? undefined : past[place];
  if (place === null || entry === undefined) return null;
  const total = Math.max(status ? answeredCount(status) : 0, past.length);
  return (
    <nav className="walk" id="walk" aria-label="Past answers">
      <Press
        className="plain small"
        aria-label="Older"
        title={`Older (${keyLabel(bindings.older)})`}
        onClick={() => perform(engine, "older", "button")}
      >
        <Icon name="older" />
      </Press>
      <span>
        answer {count(total - place)} of {count(total)}: <b id="label">{nameOf(status, entry.label)}</b>
      </span>
      <Press
        className="plain small"
        aria-label="Newer"
        title={`Newer (${keyLabel(bindings.newer)})`}
        onClick={() => perform(engine, "newer", "button")}
      >
        <Icon name="newer" />
      </Press>
      <Press className="plain small text" onClick={() => void engine.history.walk("queue")}>
        back to the queue
      </Press>
    </nav>
  );
}
