// One answer that looks wrong: its image, what was said of it, what the model says, and the keys that settle it.
import type { Label, Slip } from "../../api";
import { keyLabel } from "../../core/keys";
import { named, nameOf } from "../../core/words";
import { type Session, FileName, Labels, LargeImage } from "../../ui";
import { whatTheModelSays, whatWasSaid } from "./slips";

interface Props {
  readonly session: Session;
  readonly slip: Slip;
  /** The label that it was given here; null before that. */
  readonly label: Label | null;
  /** Whether its picture is on the screen, so that an answer counts. */
  readonly isSeen: boolean;
  readonly onLabel: (label: Label) => void;
  readonly onLoad: () => void;
}

export function Doubted({ session, slip, label, isSeen, onLabel, onLoad }: Props) {
  const { engine, state, bindings } = session;
  const isTold = !state.blind || label !== null;
  return (
    <figure className="doubted" aria-label={named(slip.path)} data-seen={isSeen}>
      <div className="large-frame">
        <LargeImage answer={slip} onLoad={onLoad} />
      </div>
      <figcaption>
        <p className="words">
          {sentence(whatWasSaid(slip, engine.client, state.status))}
          {isTold && `; ${whatTheModelSays(slip, state.status)}`}.
        </p>
        <span className="path">
          <FileName path={slip.path} />
        </span>
      </figcaption>
      <Labels session={session} answer={{ ...slip, label: label ?? slip.label }} onLabel={onLabel} />
      <p className="hint">
        Enter keeps “{nameOf(state.status, label ?? slip.label)}”, {keyLabel(bindings.undo)} takes the last
        answer back, → leaves this one for later
      </p>
    </figure>
  );
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
