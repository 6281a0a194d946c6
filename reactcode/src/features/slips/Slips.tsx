// Answers that look wrong, one at a time and large: each is confirmed or changed by a key.
import { useEffect, useState } from "react";
import type { Label, Slip, Source } from "../../api";
import { actionOf, isTaken, keyLabel, keyName, labelOf } from "../../core/keys";
import { nameOf, away } from "../../core/words";
import { once, takeLastBack, changeable, stepOf, RecentNote } from "../review";
import { type Session, Dialog, fetched } from "../../ui";
import { Doubted } from "./Doubted";
import { latestOf, whatTheModelSays } from "./slips";
import { SlipsEnd } from "./SlipsEnd";
import { useSlips } from "./useSlips";

const AHEAD = 3; // so many pictures are fetched before they are looked at

export function Slips({ session }: { readonly session: Session }) {
  const [sitting, setSitting] = useState(0);
  return <Sitting key={sitting} session={session} onAgain={() => setSitting(sitting + 1)} />;
}

interface Props {
  readonly session: Session;
  readonly onAgain: () => void;
}

function Sitting({ session, onAgain }: Props) {
  const { engine, state, bindings } = session;
  const { slips, total, isAway } = useSlips();
  const [before] = useState(state.corrections.length);
  const [place, setPlace] = useState(0);
  const [loaded, setLoaded] = useState(""); // the path of the picture that can be seen
  const corrections = state.corrections.slice(before);
  const slip = slips?.[place];
  const labels = latestOf(corrections);
  useEffect(() => slips?.slice(place + 1, place + 1 + AHEAD).forEach(fetched), [slips, place]);

  const last = slips?.length ?? 0;
  const go = (to: number) => setPlace(Math.max(0, Math.min(to, last)));
  const give = (label: Label, source: Source) => {
    const answer = slip && changeable(slip);
    if (!answer) return;
    if (loaded !== answer.path) return engine.note("The image is not here yet.");
    // an answer given before the undo is over would be taken back itself
    if (state.undoing) return engine.note("Taking back…");
    const now = labels.get(answer.image) ?? answer.label;
    engine.relabel({ ...answer, label: now }, label, source, { reviewed: true });
    engine.note(told(session, slip, label));
    go(place + 1);
  };
  const takeBack = () => {
    const at = slips?.findIndex(({ image }) => image === corrections.at(-1)?.image) ?? -1;
    if (at >= 0 && !state.undoing) go(at);
    takeLastBack(session, corrections);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const key = keyName(event.nativeEvent);
    if (key === null || isTaken(event.target, key)) return;
    const action = actionOf(bindings, key);
    const label =
      key === "enter" && slip ? (labels.get(slip.image) ?? slip.label) : action && labelOf(action);
    const step = stepOf(key, null);
    if (step !== null) go(place + step);
    else if (label !== null) once(event, () => give(label, "key"));
    else if (action === "undo") once(event, takeBack);
    else return;
    event.preventDefault();
  };
  return (
    <div className="sitting" onKeyDown={onKeyDown}>
      <Dialog title={titleOf(place, last, total)} className="slips" onClose={() => engine.toggle("slips")}>
        {slip ? (
          <Doubted
            key={slip.path}
            session={session}
            slip={slip}
            label={labels.get(slip.image) ?? null}
            isSeen={loaded === slip.path && !state.undoing}
            onLabel={(label) => give(label, "button")}
            onLoad={() => setLoaded(slip.path)}
          />
        ) : slips ? (
          <SlipsEnd session={session} looked={last} corrections={corrections} onAgain={onAgain} />
        ) : (
          <p className="empty">{isAway ? away("try again later") : "Looking…"}</p>
        )}
        <RecentNote note={state.note} />
      </Dialog>
    </div>
  );
}

function titleOf(place: number, last: number, total: number): string {
  if (place >= last) return "Check";
  return `Check ${place + 1} of ${last}${total > last ? `, ${total} in all` : ""}`;
}

/** What became of the answer; with hidden probabilities the model's opinion is shown only now. */
function told({ state, bindings }: Session, slip: Slip, label: Label): string {
  const [now, was] = [label, slip.label].map((one) => nameOf(state.status, one));
  const what = label === slip.label ? `Still ${now}` : `Now ${now}, was ${was}`;
  const opinion = state.blind ? `; ${whatTheModelSays(slip, state.status)}` : "";
  return `${what}${opinion}; ${keyLabel(bindings.undo)} takes that back.`;
}
