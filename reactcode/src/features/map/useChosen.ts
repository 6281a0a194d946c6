// The images that a person has chosen, and what becomes of them.
import { useMemo, useState } from "react";
import { openOf, type Selection, some } from "../../core/map";
import { counted, nameOf, noun } from "../../core/words";
import { keyLabel } from "../../core/keys";
import type { Session } from "../../ui";
import { MOST_AT_ONCE, type Said } from "./Chosen";
import type { Mapped } from "./useMap";

const PICTURES = 6;

export function useChosen(session: Session, { points, onAnswered }: Mapped) {
  const { engine, state, bindings } = session;
  const [selection, setSelection] = useState<Selection | null>(null);
  const [cluster, setCluster] = useState<number | null>(null); // the one that was chosen as a whole
  const [asking, setAsking] = useState<Said | null>(null);
  const [given, setGiven] = useState(0); // answers of this panel that undo may take back
  const open = useMemo(() => (selection && points ? openOf(points, selection) : []), [selection, points]);
  const sample = useMemo(
    () => some(open.length > 0 ? open : chosenOf(selection), PICTURES),
    [open, selection],
  );
  const isReady = open.length > 0 && open.length <= MOST_AT_ONCE;
  const choose = (next: Selection | null, ofCluster: number | null = null) => {
    setSelection(next !== null && next.images > 0 ? next : null);
    setCluster(ofCluster);
    setAsking(null);
    if (next?.images === 0) engine.note(`There is no ${noun(state.status, 1)} inside.`);
  };
  const answer = (label: Said) => {
    if (!isReady || !engine.answerMany(open, label)) return;
    onAnswered(open, label);
    setGiven(given + 1);
    choose(null);
    const what = counted(open.length, `${noun(state.status, 1)} is`, `${noun(state.status)} are`);
    engine.note(`${what} “${nameOf(state.status, label)}”; ${keyLabel(bindings.undo)} takes that back.`);
  };
  const takeBack = () => {
    if (state.undoing) return;
    if (given === 0)
      return engine.note("You have answered nothing here yet, so there is nothing to take back.");
    setGiven(given - 1);
    void engine.history.undo();
  };
  return {
    selection,
    cluster,
    asking,
    open,
    sample,
    choose,
    answer,
    takeBack,
    canTakeBack: given > 0,
    /** Ask whether all of them become this; null: no more. */
    ask: (label: Said | null) => setAsking(isReady ? label : null),
    askNext: () => {
      if (isReady) void engine.wishes.askThese(open);
    },
  };
}

export type Choosing = ReturnType<typeof useChosen>;

function chosenOf(selection: Selection | null): readonly number[] {
  const images: number[] = [];
  selection?.mask.forEach((isIn, image) => {
    if (isIn === 1 && images.length < 1000) images.push(image);
  });
  return images;
}
