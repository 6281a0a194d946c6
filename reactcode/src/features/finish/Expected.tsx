// How right the model's labels would be, from the images chosen at random.
import type { FinishPreview, Range, Classes } from "../../api";
import { count, counted } from "../../core/words";
import { Figure, Share } from "../../ui";

interface Props {
  readonly preview: FinishPreview;
  readonly names: Classes;
  /** Images or tiles. */
  readonly things: string;
}

export function Expected({ preview, names, things }: Props) {
  if (preview.drawn === 0) return <Unknown things={things} />;
  return (
    <div className="expected">
      <Precision preview={preview} positive={names.positive} />
      <Recall recall={preview.recall} positive={names.positive} />
    </div>
  );
}

function Unknown({ things }: { readonly things: string }) {
  return (
    <div className="expected">
      <Figure title="How right that would be" className="wide">
        <p className="value">Nobody can tell yet</p>
        <p>
          The model’s own probabilities do not prove it. Answers to {things} chosen at random do, because the
          model does not learn them.
        </p>
      </Figure>
    </div>
  );
}

function Precision({ preview, positive }: { readonly preview: FinishPreview; readonly positive: string }) {
  const { precision } = preview;
  const title = `How right “${positive}” would be`;
  if (precision === null)
    return (
      <Figure title={title}>
        <p className="value">–</p>
        <p>Nothing becomes “{positive}”.</p>
      </Figure>
    );
  const { right, of } = precision;
  return (
    <Figure title={title}>
      <p className="value" id="finish-precision">
        {percentages(precision)} of {counted(preview.positive, "label is right", "labels are right")}
      </p>
      <Share share={null} low={precision.low} high={precision.high} label="Right" />
      <p>
        95 % interval.{" "}
        {of > 0
          ? `${count(right)} of ${count(of)} chosen at random there ${right === 1 ? "is" : "are"} “${positive}”.`
          : "None was chosen at random there, so nothing is known."}
        {of > 0 && of < FEW && " That is too few to tell much."}
      </p>
    </Figure>
  );
}

const FEW = 20;

function Recall({ recall, positive }: { readonly recall: Range | null; readonly positive: string }) {
  return (
    <Figure title={`How many “${positive}” would be found`}>
      <p className="value" id="finish-recall">
        {recall === null ? "–" : `${percentages(recall)} of all are found`}
      </p>
      {recall && <Share share={null} {...recall} label="Found then" />}
      <p>The model and you together would find them; 95 % interval.</p>
    </Figure>
  );
}

function percentages({ low, high }: Range): string {
  const [least, most] = [Math.floor(100 * low), Math.ceil(100 * high)];
  return least === most ? `${least} %` : `${least} to ${most} %`;
}
