// One past answer, large, on top of the review's grid.
import { useEffect, useRef } from "react";
import type { Label } from "../../api";
import { keyLabel } from "../../core/keys";
import { named, nameOf, origin } from "../../core/words";
import { type Session, FileName, Icon, Labels, fetched, LargeImage } from "../../ui";
import { Mark } from "./Mark";
import { Opinion } from "./Opinion";
import type { Seen } from "./reviewed";

interface Props {
  readonly session: Session;
  readonly all: readonly Seen[];
  readonly place: number;
  readonly onPlace: (place: number) => void;
  readonly onLabel: (label: Label) => void;
  readonly onBack: () => void;
}

export function ReviewDetail({ session, all, place, onPlace, onLabel, onBack }: Props) {
  const frame = useRef<HTMLElement>(null);
  const seen = all[place];
  useEffect(() => frame.current?.focus(), []);
  useEffect(() => {
    for (const neighbour of [all[place + 1], all[place - 1]]) if (neighbour) fetched(neighbour);
  }, [all, place]);
  if (seen === undefined) return null;
  return (
    <figure
      className="closer"
      tabIndex={-1}
      ref={frame}
      aria-label={`Answer ${place + 1}: ${named(seen.path)}`}
    >
      <div className="large-frame">
        <LargeImage key={seen.path} answer={seen} />
      </div>
      <figcaption>
        <span className="path">
          <FileName path={seen.path} />
        </span>
        <span className="said" id="closer-label" data-label={seen.label}>
          <Mark label={seen.label} />
          <b className="name">{nameOf(session.state.status, seen.label)}</b>
          {seen.isChanged && <span className="changed">changed</span>}
        </span>
        <Opinion answer={seen} />
        <span className="from">{origin(seen)}</span>
      </figcaption>
      <div className="steps">
        <Step icon="older" name="Previous" at={place - 1} all={all} onPlace={onPlace} />
        <Labels session={session} answer={seen} onLabel={onLabel} />
        <Step icon="newer" name="Next" at={place + 1} all={all} onPlace={onPlace} />
        <button
          type="button"
          id="closer-like"
          className="plain"
          aria-label="More like this"
          title={`More like this: the most similar images come next (${keyLabel(session.bindings.like)})`}
          onClick={() => void session.engine.wishes.moreLikeThis.press(seen)}
        >
          <Icon name="like" />
        </button>
        <button type="button" className="plain text" onClick={onBack}>
          all
        </button>
      </div>
    </figure>
  );
}

interface StepProps {
  readonly icon: "older" | "newer";
  readonly name: string;
  readonly at: number;
  readonly all: readonly Seen[];
  readonly onPlace: (place: number) => void;
}

function Step({ icon, name, at, all, onPlace }: StepProps) {
  return (
    <button
      type="button"
      className="plain"
      aria-label={name}
      title={name}
      disabled={all[at] === undefined}
      onClick={() => onPlace(at)}
    >
      <Icon name={icon} />
    </button>
  );
}
