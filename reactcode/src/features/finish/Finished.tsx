// The labels that the model has given: how many, their download, and their undo.
import type { Finished as Labels, FinishPreview, Classes } from "../../api";
import type { State } from "../../core/session";
import { count, moment, percent } from "../../core/words";
import { Downloads } from "../info";
import { Press } from "../../ui";
import type { Finishing } from "./useFinish";

interface Props {
  readonly finishing: Finishing;
  readonly preview: FinishPreview;
  readonly state: State;
  readonly names: Classes;
}

export function Finished({ finishing, preview, state, names }: Props) {
  const { writing, standing } = preview;
  if (writing !== null)
    return (
      <section className="finished" role="status">
        <p>
          Writing labels: {count(writing.done)} of {count(writing.total)}. No label counts until all are
          written.
        </p>
        <progress value={writing.done} max={Math.max(1, writing.total)} aria-label="labels written" />
      </section>
    );
  if (standing === null) return null;
  return (
    <section className="finished by-model" id="finished" role="status">
      <p>
        <b>Done:</b> the model has labelled {inWords(standing, names)}, on {moment(standing.time)}, at a
        threshold of {percent(standing.threshold)}. Your own answers count before its labels.
      </p>
      <div>
        {state.status && <Downloads status={state.status} />}
        <Press className="switch" id="finish-undo" onClick={() => void finishing.undo()}>
          Undo: remove the model’s labels
        </Press>
      </div>
    </section>
  );
}

function inWords({ positives, negatives }: Labels, names: Classes): string {
  return `${count(positives)} “${names.positive}” and ${count(negatives)} “${names.negative}”`;
}
