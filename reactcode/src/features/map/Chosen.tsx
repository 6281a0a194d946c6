// What can be done with the images that a person has chosen on the map: ask them next, or answer all of them.
import { useRef } from "react";
import { opinion, type Points, type Selection } from "../../core/map";
import { keyLabel } from "../../core/keys";
import { count, counted, nameOf, noun } from "../../core/words";
import { type Session, Icon, Key, Press, useFocusMeanwhile } from "../../ui";
import { Thumbnail } from "./Clusters";
import type { Names } from "./useNames";

/** So many are stored in some seconds; the server would take more, for minutes. */
export const MOST_AT_ONCE = 100_000;

export type Said = "positive" | "negative";

interface Props {
  readonly session: Session;
  readonly points: Points;
  readonly selection: Selection;
  /** The chosen images that can still be answered. */
  readonly open: readonly number[];
  /** A few of them. */
  readonly sample: readonly number[];
  readonly names: Names;
  /** The answer that the person is asked to confirm. */
  readonly asking: Said | null;
  readonly onAsk: (label: Said | null) => void;
  readonly onNext: () => void;
  readonly onAnswer: (label: Said) => void;
  readonly onClear: () => void;
}

export function Chosen(props: Props) {
  const { session, selection, open, sample, names, asking, onAsk, onNext, onClear } = props;
  const { status } = session.state;
  if (asking !== null) return <Question {...props} label={asking} />;
  const isTooMany = open.length > MOST_AT_ONCE;
  const isNothing = open.length === 0;
  return (
    <div className="chosen" role="group" aria-label="Chosen images">
      <p id="map-chosen">
        <b>{counted(selection.images, `${noun(status, 1)} is`, `${noun(status)} are`)} chosen</b>,{" "}
        {isNothing ? "none of them open." : `${count(open.length)} open.`}
        {isTooMany && ` At most ${count(MOST_AT_ONCE)} can be asked or answered at once: choose fewer.`}
      </p>
      <span className="pictures">
        {sample.map((image) => (
          <Thumbnail key={image} image={image} names={names} />
        ))}
      </span>
      <div className="deeds">
        <Press id="map-next" className="switch" disabled={isNothing || isTooMany} onClick={onNext}>
          Ask these next <Key name="q" />
        </Press>
        {(["positive", "negative"] as const).map((label) => (
          <Press
            key={label}
            id={`map-all-${label}`}
            className={`switch all ${label}`}
            disabled={isNothing || isTooMany}
            onClick={() => onAsk(label)}
          >
            All “{nameOf(status, label)}”… <Key name={session.bindings[label]} />
          </Press>
        ))}
      </div>
      <Press
        className="plain small"
        id="map-clear"
        aria-label="Choose nothing"
        title="Choose nothing (Esc)"
        onClick={onClear}
      >
        <Icon name="close" />
      </Press>
    </div>
  );
}

interface QuestionProps extends Props {
  readonly label: Said;
}

/** Says what the answer to all of them does, before it is given. */
function Question({ session, points, open, label, onAnswer, onAsk }: QuestionProps) {
  const { state, bindings } = session;
  const host = useRef<HTMLDivElement>(null);
  useFocusMeanwhile(host);
  const name = nameOf(state.status, label);
  return (
    <div
      className="chosen map-question"
      id="map-question"
      role="alertdialog"
      aria-labelledby="map-question-what"
      ref={host}
      tabIndex={-1}
    >
      <p id="map-question-what">
        {counted(open.length, `open ${noun(state.status, 1)} becomes`, `open ${noun(state.status)} become`)} “
        {name}”, whether you have seen {open.length === 1 ? "it" : "each"} or not.
        {against(session, points, open, label)} {keyLabel(bindings.undo)} takes{" "}
        {open.length === 1 ? "that" : "all of them"} back.
      </p>
      <div className="deeds">
        <Press id="map-back" className="switch" onClick={() => onAsk(null)}>
          Go back <Key name="esc" />
        </Press>
        <Press id="map-yes" className={`switch all ${label}`} onClick={() => onAnswer(label)}>
          Yes: {count(open.length)} “{name}” <Key name="enter" />
        </Press>
      </div>
    </div>
  );
}

/** How many of them the model calls the opposite; nothing while its opinion is hidden. */
function against({ state }: Session, points: Points, open: readonly number[], label: Said): string {
  if (state.blind) return "";
  const { known, positive } = opinion(points, open);
  const opposed = label === "positive" ? known - positive : positive;
  const other = nameOf(state.status, label === "positive" ? "negative" : "positive");
  return opposed === 0 ? "" : ` The model calls ${count(opposed)} of them “${other}”.`;
}
