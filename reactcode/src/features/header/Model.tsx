// The state of the model: whether it has learnt all answers, and how much of the pool is embedded.
import { useEffect, useState } from "react";
import type { Status } from "../../api";
import { count, counted, nameOf } from "../../core/words";

const PATIENCE_MS = 1500; // faster learning is not shown

export function Model({ status }: { readonly status: Status }) {
  const random = status.audit?.drawn ?? 0; // the model never learns random answers
  const answers = status.positives + status.negatives;
  const isBehind = status.model !== null && answers - random > status.model.labels;
  const isLearning = useLasting(isBehind, PATIENCE_MS);
  if (isOff(status)) return <p className="model" />;
  const { model, embedding } = status;
  return (
    <p className="model" id="model">
      <span title={model ? figures(model.labels, answers, random) : missing(status)}>
        {model ? `model: ${isLearning ? "learning" : "up to date"}` : "no model yet"}
      </span>
      {isEmbedding(status) && (
        <span className="embedding">{`embedded ${Math.floor(embedding.percent)} %`}</span>
      )}
    </p>
  );
}

/** Whether something has been so for a while. */
function useLasting(isSo: boolean, patience_ms: number): boolean {
  const [hasLasted, setLasted] = useState(false);
  useEffect(() => {
    if (!isSo) return;
    const timer = setTimeout(() => setLasted(true), patience_ms);
    return () => {
      clearTimeout(timer);
      setLasted(false);
    };
  }, [isSo, patience_ms]);
  return isSo && hasLasted;
}

function figures(learnt: number, answers: number, random: number): string {
  const known = `The model has learnt ${count(learnt)} of ${counted(answers, "answer", "answers")}.`;
  if (random === 0) return known;
  return `${known} ${counted(random, "random answer is", "random answers are")} never learnt.`;
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
  const [positive, negative] = [nameOf(status, "positive"), nameOf(status, "negative")];
  if (status.positives > 0 && status.negatives > 0) return "The model is learning the first answers.";
  if (status.positives === status.negatives)
    return `The model begins to learn with the first “${positive}” and the first “${negative}”.`;
  return `The model begins to learn with the first “${status.positives > 0 ? negative : positive}”.`;
}
