// Beside the image: what the colours over it mean, and the answers that are most like it.
import { pictureAddress, type Explanation as Told, type Neighbour, type Status } from "../../api";
import { named, noun, nameOf } from "../../core/words";
import type { Session } from "../../ui";
import { sentenceOf } from "./heat";
import type { Why } from "./useExplanation";

const THUMBNAIL_PX = 160;

interface Props {
  readonly session: Session;
  readonly why: Why;
}

export function Explanation({ session, why }: Props) {
  if (why === null) return null;
  const { status } = session.state;
  const { explanation } = why;
  return (
    <aside className="why" id="why" aria-label="Why the model thinks so" data-image={explanation?.image}>
      {explanation === null && (
        <p className="quiet">
          There is no explanation of this {noun(status, 1)}, or not yet. The model explains the next 24{" "}
          {noun(status)}, except those chosen at random.
        </p>
      )}
      {explanation && <Where explanation={explanation} status={status} />}
      {explanation && <Nearest kind="positive" near={explanation.positive} status={status} />}
      {explanation && <Nearest kind="negative" near={explanation.negative} status={status} />}
    </aside>
  );
}

interface Explained {
  readonly explanation: Told;
  readonly status: Status | null;
}

function Where({ explanation: { map }, status }: Explained) {
  const name = nameOf(status, "positive");
  if (map === null) return <p className="quiet where">This network cannot show where it looks.</p>;
  return (
    <div className="where">
      <p className="scale" aria-hidden="true">
        <span>against</span>
        <i />
        <span>for</span>
      </p>
      <p className="quiet">{sentenceOf(map, name)}</p>
    </div>
  );
}

interface Near {
  readonly kind: "positive" | "negative";
  readonly near: readonly Neighbour[];
  readonly status: Status | null;
}

function Nearest({ kind, near, status }: Near) {
  const name = nameOf(status, kind);
  return (
    <section className={`nearest ${kind}`}>
      <h2 title={`The “${name}” answers most similar to this ${noun(status, 1)}; 1.00 means the same`}>
        most similar: {name}
      </h2>
      {near.length === 0 && <p className="quiet">none</p>}
      <ol>
        {near.map((neighbour) => (
          <li key={neighbour.image} title={named(neighbour.path)}>
            <img
              src={pictureAddress(neighbour, THUMBNAIL_PX)}
              alt={named(neighbour.path)}
              decoding="async"
              draggable={false}
            />
            <span>
              <span className="unseen">similarity: </span>
              {neighbour.similarity.toFixed(2)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
