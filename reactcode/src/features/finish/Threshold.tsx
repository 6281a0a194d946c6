// The threshold over the probabilities of all other images, and how many images become what.
import type { FinishPreview, Classes } from "../../api";
import { count, percent } from "../../core/words";

const HEIGHT = 30;

interface Props {
  readonly preview: FinishPreview;
  /** Images or tiles. */
  readonly things: string;
  /** The threshold that the person has chosen; null: none yet. */
  readonly wanted: number | null;
  readonly names: Classes;
  readonly unreadable: number;
  readonly onChange: (threshold: number) => void;
}

export function Threshold({ preview, things, wanted, names, unreadable, onChange }: Props) {
  const { positive, negative, unscored } = preview;
  const threshold = wanted ?? preview.threshold;
  return (
    <section className="threshold">
      <p className="becoming" id="becoming">
        <span className="positive">
          <b>{count(positive)}</b> {positive === 1 ? "becomes" : "become"} “{names.positive}”
        </span>
        <span className="negative">
          <b>{count(negative)}</b> {negative === 1 ? "becomes" : "become"} “{names.negative}”
        </span>
        {(unscored > 0 || unreadable > 0) && (
          <small>
            {unscored === 1 && "1 gets no label: the model has not scored it yet. "}
            {unscored > 1 && `${count(unscored)} get no label: the model has not scored them yet. `}
            {unreadable > 0 && `${count(unreadable)} cannot be read.`}
          </small>
        )}
      </p>
      <Histogram bins={preview.histogram} threshold={threshold} things={things} />
      <label>
        <span>
          “{names.positive}” from <b>{percent(threshold)}</b> on
        </span>
        <input
          id="threshold"
          type="range"
          min={0}
          max={1}
          step={0.01}
          value={threshold}
          aria-valuetext={percent(threshold)}
          onChange={(event) => onChange(event.target.valueAsNumber)}
        />
      </label>
    </section>
  );
}

interface HistogramProps {
  readonly bins: readonly number[];
  readonly threshold: number;
  readonly things: string;
}

function Histogram({ bins, threshold, things }: HistogramProps) {
  const most = Math.sqrt(Math.max(1, ...bins)); // square roots: nearly all images are improbable, and would hide the others
  return (
    <svg
      className="histogram"
      viewBox={`0 0 ${bins.length} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`How many ${things} have which probability; heights are square roots`}
    >
      {bins.map((images, bin) => {
        const height = (HEIGHT * Math.sqrt(images)) / most;
        return (
          <rect
            key={bin}
            className={(bin + 0.5) / bins.length >= threshold ? "positive" : "negative"}
            x={bin + 0.08}
            width={0.84}
            y={HEIGHT - height}
            height={height}
          />
        );
      })}
      <line x1={threshold * bins.length} x2={threshold * bins.length} y1={0} y2={HEIGHT} />
    </svg>
  );
}
