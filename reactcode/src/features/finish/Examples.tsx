// Examples of what the model would label: images at the threshold, and some from either side of it.
import { useState } from "react";
import { pictureAddress, type FinishPreview, type Queued, type Classes } from "../../api";
import { named, percent } from "../../core/words";

const THUMBNAIL_PX = 160;

interface Props {
  readonly preview: FinishPreview;
  readonly names: Classes;
  readonly isBlind: boolean;
}

export function Examples({ preview, names, isBlind }: Props) {
  const { examples, threshold } = preview;
  const becoming = { above: preview.positive, below: preview.negative };
  const strips = [
    ["above", `become “${names.positive}”`, "from sure to less sure"],
    ["at", "at the threshold", "the nearest on both sides"],
    ["below", `become “${names.negative}”`, "from less sure to sure"],
  ] as const;
  return (
    <div className="strips">
      {strips.map(([name, title, which]) => (
        <section key={name} className="strip" data-strip={name}>
          <h3>
            {title} <small>{which}</small>
          </h3>
          {examples[name].length === 0 && (
            <p className="quiet">
              {name !== "at" && becoming[name] > 0 ? "all of them are at the threshold" : "none"}
            </p>
          )}
          <ul>
            {examples[name].map((example) => (
              <Example
                key={example.image}
                example={example}
                label={(example.probability ?? 0) >= threshold ? "positive" : "negative"}
                names={names}
                isBlind={isBlind}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

interface ExampleProps {
  readonly example: Queued;
  readonly label: "positive" | "negative";
  readonly names: Classes;
  readonly isBlind: boolean;
}

function Example({ example, label, names, isBlind }: ExampleProps) {
  const [isBroken, setBroken] = useState(false);
  const chance = isBlind ? "" : percent(example.probability);
  return (
    <li className="by-model" data-label={label} title={named(example.path)}>
      {isBroken ? (
        <span className="none">cannot be shown</span>
      ) : (
        <img
          src={pictureAddress(example, THUMBNAIL_PX)}
          alt={`${named(example.path)}: “${names[label]}” by the model`}
          decoding="async"
          draggable={false}
          onError={() => setBroken(true)}
        />
      )}
      {chance && <span className="chance">{chance}</span>}
    </li>
  );
}
