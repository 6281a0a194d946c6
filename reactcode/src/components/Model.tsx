// What the model knows: how many answers it has learnt, how many it is behind, how much is embedded.
import type { Status } from "../api";
import { count } from "../words";

export function Model({ status }: { readonly status: Status }) {
  if (isOff(status)) return <p className="model" />;
  const { model, embedding } = status;
  const drawn = status.audit?.drawn ?? 0; // at random: those are never learnt
  const behind = model ? status.positives + status.negatives - drawn - model.labels : 0;
  return (
    <p className="model" id="model">
      <span>
        {model ? `model: ${count(model.labels)}` : missing(status)}
        {model && <span className="unit"> answers</span>}
      </span>
      {behind > 0 && (
        <span className="behind">
          {count(behind)}
          <span className="unit">{behind === 1 ? " answer" : " answers"}</span> behind
        </span>
      )}
      {isEmbedding(status) && (
        <span className="embedding">{`embedded ${Math.floor(embedding.percent)} %`}</span>
      )}
    </p>
  );
}

/** Whether images still wait to be embedded; those that cannot be read never will be. */
function isEmbedding({ embedding, unreadable }: Status): boolean {
  return embedding.percent < 100 && embedding.done + unreadable < embedding.total;
}

/** Whether this session has no model at all (--no-ai). */
export function isOff(status: Status): boolean {
  return Object.values(status.loops).every((loop) => loop === "off");
}

function missing(status: Status): string {
  const { positive, negative } = status.classes;
  if (status.positives > 0 && status.negatives > 0) return "no model yet: it is learning the first answers";
  if (status.positives === status.negatives) return "no model before the first answers";
  return `no model before the first ${status.positives > 0 ? negative : positive}`;
}
