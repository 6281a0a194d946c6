// Past answers to look through and to put right, the most suspicious first.
import { useEffect, useRef, useState } from "react";
import type { Label, Source } from "../../api";
import { actionOf, isTaken, keyLabel, keyName, labelOf } from "../../core/keys";
import { nameOf } from "../../core/words";
import { type Session, Dialog } from "../../ui";
import { ReviewDetail } from "./ReviewDetail";
import { once, takeLastBack } from "./lastBack";
import { RecentNote } from "./RecentNote";
import { FIRST, Overview } from "./Overview";
import { changeable, columnsOf, seenWith, stepOf, type Seen } from "./reviewed";
import { useReview } from "./useReview";

const NEARLY = 5; // the next page is loaded when so few known answers are left

export function Review({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const [isClose, setClose] = useState(false);
  return (
    <Dialog
      title="Review"
      className="review"
      onClose={() => (isClose ? setClose(false) : engine.toggle("review"))}
    >
      <Looking session={session} isClose={isClose} setClose={setClose} />
      <RecentNote note={state.note} />
    </Dialog>
  );
}

interface Props {
  readonly session: Session;
  readonly isClose: boolean;
  readonly setClose: (isClose: boolean) => void;
}

function Looking({ session, isClose, setClose }: Props) {
  const { state, bindings } = session;
  const [filter, setFilter] = useState(FIRST);
  const [before] = useState(state.corrections.length);
  const corrections = state.corrections.slice(before);
  const list = useReview(filter, corrections.length);
  const all = seenWith(list.answers, corrections);
  const [chosen, setPlace] = useState(0);
  const place = Math.max(0, Math.min(chosen, all.length - 1));
  const whole = useRef<HTMLDivElement>(null);
  const cells = useRef<HTMLUListElement>(null);
  useFocus(cells, place, isClose, all.length > 0 && !list.isLoading);

  const go = (to: number) => {
    if (all[to] === undefined) return;
    setPlace(to);
    cellAt(cells.current, to)?.focus();
    if (to >= all.length - NEARLY && !list.isComplete && !list.isLoading) list.more();
  };
  const give = (label: Label, source: Source) => change(session, all[place], label, source);
  const takeBack = () => {
    go(all.findIndex(({ image }) => image === corrections.at(-1)?.image));
    takeLastBack(session, corrections);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const key = keyName(event.nativeEvent);
    if (key === null || isTaken(event.target, key)) return;
    const action = actionOf(bindings, key);
    const label = action && labelOf(action);
    const step = stepOf(key, isClose ? null : columnsOf(cells.current));
    const isAtAnswer = isClose || (event.target as Element).matches(".cell");
    if (key === "escape" && isClose) setClose(false);
    else if (step !== null) go(Math.max(0, Math.min(place + step, all.length - 1)));
    else if (label !== null && isAtAnswer) once(event, () => give(label, "key"));
    else if (action === "undo") once(event, takeBack);
    else if (action === "like" && isAtAnswer)
      once(event, () => void session.engine.wishes.moreLikeThis.press(all[place] ?? null));
    else if (action === "slips") session.engine.toggle("slips");
    else return;
    event.preventDefault();
  };
  return (
    <div className="looking" tabIndex={-1} onKeyDown={onKeyDown} ref={whole}>
      <Overview
        state={state}
        bindings={bindings}
        list={list}
        all={all}
        filter={filter}
        onFilter={(next) => {
          setFilter(next);
          setPlace(0);
        }}
        onChosen={() => whole.current?.focus()}
        place={place}
        onPlace={setPlace}
        onOpen={() => setClose(true)}
        cells={cells}
        onSlips={() => session.engine.toggle("slips")}
        isBehind={isClose}
      />
      {isClose && (
        <ReviewDetail
          session={session}
          all={all}
          place={place}
          onPlace={go}
          onLabel={(label) => give(label, "button")}
          onBack={() => setClose(false)}
        />
      )}
    </div>
  );
}

function change(session: Session, seen: Seen | undefined, label: Label, source: Source): void {
  const { engine, state, bindings } = session;
  const answer = seen ? changeable(seen) : null;
  if (answer === null) return engine.note("The file is gone; its answer stays as it is.");
  if (answer.label === label) return;
  if (state.undoing) return engine.note("Taking back…");
  engine.relabel(answer, label, source);
  const [now, was] = [label, answer.label].map((one) => nameOf(state.status, one));
  engine.note(`Now ${now}, was ${was}; ${keyLabel(bindings.undo)} takes that back.`);
}

function cellAt(cells: HTMLUListElement | null, place: number): HTMLElement | null {
  return cells?.children[place]?.querySelector("button") ?? null;
}

/** Focuses the first answer once there are any, and the last one again when the large view is left. */
function useFocus(
  cells: React.RefObject<HTMLUListElement | null>,
  place: number,
  isClose: boolean,
  isThere: boolean,
): void {
  const current = useRef(place);
  useEffect(() => {
    current.current = place;
  }, [place]);
  useEffect(() => {
    const isFree = document.activeElement?.matches("body, .sheet, .looking") ?? true;
    if (isThere && !isClose && isFree) cellAt(cells.current, current.current)?.focus();
  }, [cells, isClose, isThere]);
}
