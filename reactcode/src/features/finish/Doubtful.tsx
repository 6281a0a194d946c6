// The images that the model is least sure of: how wide that band is, and having them asked next.
import type { FinishPreview, Range } from "../../api";
import { count } from "../../core/words";
import { Press } from "../../ui";

interface Props {
  readonly preview: FinishPreview;
  /** Images or tiles. */
  readonly things: string;
  readonly isCurrent: boolean;
  readonly onBand: (band: Range) => void;
  readonly onNext: () => void;
}

export function Doubtful({ preview, things, isCurrent, onBand, onNext }: Props) {
  const { doubtful } = preview;
  const { images, next } = doubtful;
  return (
    <section className="doubtful" aria-label={`Doubtful ${things}`}>
      <p>
        <b id="doubtful">{count(images)}</b> {images === 1 ? "is" : "are"} doubtful
      </p>
      <fieldset>
        <legend className="unseen">probability of the doubtful ones in per cent</legend>
        <Bound name="low" words="from" doubtful={doubtful} onBand={onBand} />
        <Bound name="high" words="to" doubtful={doubtful} onBand={onBand} />%
      </fieldset>
      <Press className="switch" id="ask-next" disabled={next === 0 || !isCurrent} onClick={onNext}>
        {next < images ? `Ask me the ${count(next)} nearest next` : "Ask me these next"} <kbd>Q</kbd>
      </Press>
      <p className="quiet">
        Those nearest to the threshold come first, until none is doubtful any more; E brings you back here.
      </p>
    </section>
  );
}

interface BoundProps {
  readonly name: "low" | "high";
  readonly words: string;
  readonly doubtful: Range;
  readonly onBand: (band: Range) => void;
}

/** A bound in per cent; an invalid number changes nothing. */
function Bound({ name, words, doubtful, onBand }: BoundProps) {
  const shown = Math.round(1000 * doubtful[name]) / 10;
  return (
    <label>
      {words}
      <input
        id={`doubtful-${name}`}
        type="number"
        inputMode="decimal"
        min={0}
        max={100}
        step="any"
        defaultValue={shown}
        onChange={({ target }) => {
          if (target.value === "" || !target.validity.valid) return;
          onBand({ ...onlyBounds(doubtful), [name]: target.valueAsNumber / 100 });
        }}
      />
    </label>
  );
}

function onlyBounds({ low, high }: Range): Range {
  return { low, high };
}
