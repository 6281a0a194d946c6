// The three labels, to give a past answer one of them.
import type { Answered, Label } from "../api";
import { keyLabel } from "../core/keys";
import { nameOf } from "../core/words";
import { Key } from "./Key";
import { Press } from "./Press";
import type { Session } from "./useSession";

const LABELS = ["positive", "skipped", "negative"] as const;

interface Props {
  readonly session: Session;
  readonly answer: Answered;
  readonly onLabel: (label: Label) => void;
}

export function Labels({ session: { state, bindings }, answer, onLabel }: Props) {
  return (
    <div className="labels" role="group" aria-label="Label">
      {LABELS.map((label) => (
        <Press
          key={label}
          className={`answer ${label}`}
          aria-pressed={answer.label === label}
          title={keyLabel(bindings[label])}
          disabled={answer.image === null}
          onClick={() => onLabel(label)}
        >
          <span className="name">{label === "skipped" ? "skip" : nameOf(state.status, label)}</span>
          <Key name={bindings[label]} />
        </Press>
      ))}
    </div>
  );
}
