// The model labels the unreviewed images: the threshold, the expected precision, what to check first, and undo.
import { useLayoutEffect, useState } from "react";
import type { FinishPreview, Range, Classes } from "../../api";
import { isTaken, keyName } from "../../core/keys";
import { noun, count, counted, nameOf, percent } from "../../core/words";
import { type Session, Dialog, Press } from "../../ui";
import { Doubtful } from "./Doubtful";
import { Examples } from "./Examples";
import { Expected } from "./Expected";
import { Finished } from "./Finished";
import { Threshold } from "./Threshold";
import { USUAL, useFinish, type Finishing } from "./useFinish";

const NEXT_KEY = "q";
const MOST_TO_ANSWER = 200; // up to so many images a person would rather answer than leave to the model
const ASKED_FIRST = 100; // the server asks at most so many images of a band first

export function Finish({ session }: { readonly session: Session }) {
  const { engine, state } = session;
  const [wanted, setWanted] = useState(USUAL);
  const [isAsking, setAsking] = useState(false);
  const finishing = useFinish(state, engine.client, wanted);
  const { preview, isCurrent } = finishing;
  const names = { positive: nameOf(state.status, "positive"), negative: nameOf(state.status, "negative") };
  const askNext = () => {
    if (preview === null || !isCurrent) return;
    if (preview.doubtful.next > 0) void engine.wishes.askFirst(preview.doubtful, preview.threshold);
  };
  useLayoutEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const key = keyName(event);
      if (key !== NEXT_KEY || event.repeat || isTaken(event.target, key)) return;
      event.preventDefault();
      askNext();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  });
  const onBand = (band: Range) => setWanted({ threshold: preview?.threshold ?? null, band });
  return (
    <Dialog
      title="Finish"
      className="finish"
      onClose={() => (isAsking ? setAsking(false) : engine.toggle("finish"))}
    >
      <div className="finishing" aria-busy={preview === null}>
        {preview && <Finished finishing={finishing} preview={preview} state={state} names={names} />}
        {preview?.checkpoint === null && (
          <p className="empty">
            There is no model yet. Answer some {noun(state.status)} first; then it can label all others.
          </p>
        )}
        {preview !== null && preview.checkpoint !== null && (
          <>
            <Threshold
              preview={preview}
              wanted={wanted.threshold}
              things={noun(state.status)}
              names={names}
              unreadable={state.status?.unreadable ?? 0}
              onChange={(threshold) => {
                setAsking(false);
                setWanted({ threshold, band: null });
              }}
            />
            <Expected preview={preview} names={names} things={noun(state.status)} />
            <Examples preview={preview} names={names} isBlind={state.blind} />
            <Doubtful
              key={preview.threshold}
              things={noun(state.status)}
              preview={preview}
              isCurrent={isCurrent}
              onBand={onBand}
              onNext={askNext}
            />
          </>
        )}
      </div>
      {preview !== null && preview.checkpoint !== null && (
        <Confirm
          finishing={finishing}
          preview={preview}
          names={names}
          things={noun(state.status, preview.positive + preview.negative)}
          isAsking={isAsking}
          setAsking={setAsking}
          onPositive={() =>
            void engine.wishes.askFirst({ low: preview.threshold, high: 1 }, preview.threshold)
          }
          onRandom={() => void engine.wishes.answerAtRandom(preview.random.needed)}
        />
      )}
    </Dialog>
  );
}

interface ConfirmProps {
  readonly finishing: Finishing;
  readonly preview: FinishPreview;
  readonly names: Classes;
  /** Images or tiles, as many as get a label. */
  readonly things: string;
  readonly isAsking: boolean;
  readonly setAsking: (isAsking: boolean) => void;
  /** Has the images asked that would become positive. */
  readonly onPositive: () => void;
  readonly onRandom: () => void;
}

function Confirm(props: ConfirmProps) {
  const { finishing, preview, names, things, isAsking, setAsking, onPositive, onRandom } = props;
  const { positive, negative, writing, standing, random, positive_known: isKnown } = preview;
  const missing = random.needed - random.answered;
  const all = positive + negative;
  const isReady = all > 0 && writing === null && finishing.isCurrent;
  return (
    <section className="confirm" aria-label="Label all others">
      <p id="finish-trouble" role="alert">
        {finishing.trouble}
      </p>
      {missing > 0 ? (
        <Random {...random} onRandom={onRandom} />
      ) : isAsking ? (
        <>
          {!isKnown && <Unknown preview={preview} positive={names.positive} />}
          <p>
            The model labels {count(positive)} “{names.positive}” and {count(negative)} “{names.negative}”, at
            a threshold of {percent(preview.threshold)}. Your answers stay as they are and count before its
            labels. The model learns from your answers only.{standing && " Its earlier labels are replaced."}{" "}
            You can undo this at any time.
          </p>
          {!isKnown && positive <= MOST_TO_ANSWER && (
            <Press className="switch" id="finish-answer" disabled={!isReady} onClick={onPositive}>
              {answering(positive)}
            </Press>
          )}
          <Press
            className="switch"
            id="finish-now"
            disabled={!isReady}
            onClick={() => void finishing.finish().then(() => setAsking(false))}
          >
            {isKnown ? `Label ${count(all)} ${things}` : "Label anyway"}
          </Press>
          <Press className="plain text" onClick={() => setAsking(false)}>
            Not yet
          </Press>
        </>
      ) : (
        <Press className="switch" id="finish-ask" disabled={!isReady} onClick={() => setAsking(true)}>
          {standing ? "Label all others again…" : "Label all others…"}
        </Press>
      )}
    </section>
  );
}

interface UnknownProps {
  readonly preview: FinishPreview;
  /** What the positive label is called. */
  readonly positive: string;
}

/** Says that too few random answers tell how right the positive labels would be. */
function Unknown({ preview, positive }: UnknownProps) {
  const { positive: labels, drawn_positive: drawn } = preview;
  const few =
    drawn === 0 ? "no random answer is" : `only ${counted(drawn, "random answer is", "random answers are")}`;
  return (
    <p id="finish-unknown">
      <b>
        Nobody knows how right{" "}
        {labels === 1 ? `this “${positive}” label is` : `these ${count(labels)} “${positive}” labels are`}:
      </b>{" "}
      {few} about what the model would call “{positive}”.
    </p>
  );
}

/** The text of the button that asks the images first which would become positive. */
function answering(labels: number): string {
  if (labels > ASKED_FIRST) return `Answer ${count(ASKED_FIRST)} of these ${count(labels)}`;
  return labels === 1 ? "Answer this one" : `Answer these ${count(labels)}`;
}

interface RandomProps {
  readonly answered: number;
  readonly needed: number;
  readonly onRandom: () => void;
}

/** Why the other images cannot be labelled yet, and what it takes. */
function Random({ answered, needed, onRandom }: RandomProps) {
  return (
    <>
      <p id="finish-missing">
        Only answers to random images tell how right the model would be. <b>{count(answered)}</b> of{" "}
        {count(needed)} are given.
      </p>
      <Press className="switch" id="finish-random" onClick={onRandom}>
        Answer {count(needed - answered)} at random
      </Press>
      <Press className="switch" id="finish-ask" disabled>
        Label all others…
      </Press>
    </>
  );
}
