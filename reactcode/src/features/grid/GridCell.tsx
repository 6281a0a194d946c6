// One image of the grid: a toggle button with its key, its mark and, small, what the model thinks.
import { useLayoutEffect, useRef } from "react";
import type { Queued } from "../../api";
import type { Engine } from "../../core/engine";
import { CELL_KEYS } from "../../core/keys";
import { alikeOf, markOf, type Mark, keyOf, probabilityOf } from "../../core/session";
import { named, nameOf, percent } from "../../core/words";
import { type Session, Icon, Key, Press } from "../../ui";

interface Props {
  readonly queued: Queued;
  readonly place: number;
  readonly session: Session;
  readonly filter: string;
  /** Whether the person is asked to confirm its answer, because it contradicts the model. */
  readonly isAgainst: boolean;
  /** Whether Tab comes to this one; arrows go on from there. */
  readonly isFirst: boolean;
  readonly onFocus: () => void;
}

export function GridCell({ queued, place, session, filter, isAgainst, isFirst, onFocus }: Props) {
  const { engine, state } = session;
  const { painted, isSkipping } = state.grid;
  const mark = markOf(state, queued);
  const name = mark && nameOf(state.status, mark);
  const key = CELL_KEYS[place];
  const alike = alikeOf(queued).length;
  const together = alike > 0 ? `, ${alike + 1} alike` : "";
  const set = (wanted: Mark) => engine.dispatch({ type: "gridMarked", image: queued.image, mark: wanted });
  const gestures = useGestures(
    () => set("positive"),
    () => set("skipped"),
  );
  return (
    <div className="slot">
      <Press
        className="grid-cell"
        aria-label={`${place + 1}: ${named(queued.path)}${together}${name === null ? "" : `, ${name}`}`}
        aria-pressed={mark === "positive"}
        title={named(queued.path)}
        tabIndex={isFirst ? 0 : -1}
        data-image={queued.image}
        data-mark={mark}
        data-against={isAgainst}
        data-painted={painted.has(queued.image)}
        data-skipping={isSkipping}
        onFocus={onFocus}
        {...gestures}
      >
        <Picture queued={queued} engine={engine} filter={filter} />
      </Press>
      {key !== undefined && <Key name={key} />}
      <Together queued={queued} />
      <Chance probability={probabilityOf(state, queued)} />
      {mark !== null && (
        <span className="grid-mark" aria-hidden="true">
          <Icon name={mark === "positive" ? "positive" : "skip"} />
          <span>{name}</span>
        </span>
      )}
    </div>
  );
}

/** How many near duplicates the answer counts for. */
function Together({ queued }: { readonly queued: Queued }) {
  const alike = alikeOf(queued).length;
  return alike > 0 && <span className="together">{alike + 1} alike</span>;
}

/** The probability of positive; the only place in the grid that shows it. */
function Chance({ probability }: { readonly probability: number | null }) {
  if (probability === null) return null;
  return <span className="chance">{percent(probability)}</span>;
}

interface PictureProps {
  readonly queued: Queued;
  readonly engine: Engine;
  readonly filter: string;
}

/** Shows the decoded element itself; it stays until the same picture arrives in a larger size. */
function Picture({ queued, engine, filter }: PictureProps) {
  const host = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    if (host.current) mount(host.current, queued, engine);
  });
  return <span className="picture" ref={host} style={{ filter }} />;
}

function mount(host: HTMLSpanElement, queued: Queued, engine: Engine): void {
  const key = keyOf(queued);
  const picture = engine.pictures.small(queued);
  const held = host.dataset["key"] === key ? host.querySelector("img") : null;
  if (held !== null && (picture === null || picture.naturalWidth <= held.naturalWidth)) return;
  host.dataset["key"] = key;
  if (picture === null) return host.replaceChildren();
  picture.removeAttribute("id");
  picture.removeAttribute("style");
  picture.alt = "";
  host.replaceChildren(picture);
}

const LONG_MS = 450; // shorter than the system's own long press

/** A click toggles; a right click or a long press skips. */
function useGestures(onToggle: () => void, onSkip: () => void) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const isFinger = useRef(false);
  const wasLong = useRef(false);
  const stop = () => clearTimeout(timer.current);
  return {
    onPointerDown: (event: React.PointerEvent) => {
      isFinger.current = event.pointerType === "touch";
      wasLong.current = false;
      if (!isFinger.current) return;
      timer.current = setTimeout(() => {
        wasLong.current = true;
        onSkip();
      }, LONG_MS);
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    onPointerLeave: stop,
    onContextMenu: (event: React.MouseEvent) => {
      event.preventDefault();
      if (!isFinger.current) onSkip();
    },
    onClick: (event: React.MouseEvent) => {
      const isOwn = !wasLong.current || event.detail === 0; // a key's click is never the end of a long press
      wasLong.current = false;
      if (isOwn) onToggle();
    },
  };
}
