// The four answers: positive, skip, negative, undo; tinted by how probable they are.
import type { CSSProperties } from "react";
import type { Label } from "../../api";
import { type Action, perform } from "../../core/keys";
import { probabilityOf, shownOf } from "../../core/session";
import { nameOf } from "../../core/words";
import { type Session, Icon, Key, Press } from "../../ui";

export function Answers({ session }: { readonly session: Session }) {
  const { status } = session.state;
  const probability = probabilityOf(session.state, shownOf(session.state));
  return (
    <div className="answers" role="group" aria-label="Answers">
      <Answer id="undo" action="undo" icon="undo" name="undo" session={session} />
      <Answer
        id="positive"
        action="positive"
        icon="positive"
        name={nameOf(status, "positive")}
        tint={probability}
        session={session}
      />
      <Answer id="skip" action="skipped" icon="skip" name="skip" session={session} />
      <Answer
        id="negative"
        action="negative"
        icon="negative"
        name={nameOf(status, "negative")}
        tint={probability === null ? null : 1 - probability}
        session={session}
      />
    </div>
  );
}

interface Props {
  readonly id: string;
  readonly action: Action & ("undo" | Label);
  readonly icon: "positive" | "negative" | "skip" | "undo";
  readonly name: string;
  readonly tint?: number | null;
  readonly session: Session;
}

function Answer({ id, action, icon, name, tint = null, session }: Props) {
  const { engine, state, bindings } = session;
  const label = state.place === null ? null : state.past[state.place]?.label;
  const isLast = state.last?.label === action && state.last.source !== "timeout";
  const style = { "--tint": tint ?? 0.3 } as CSSProperties;
  return (
    <Press
      id={id}
      className={`answer ${id}`}
      style={style}
      aria-pressed={action === "undo" ? undefined : label === action}
      title={name}
      disabled={state.paused || (action !== "undo" && shownOf(state) === null)}
      onClick={() => perform(engine, action, "button")}
    >
      <Icon name={icon} />
      <span className="name">{name}</span>
      <Key name={bindings[action]} />
      {isLast && <span key={state.last?.serial} className="flash" />}
    </Press>
  );
}
