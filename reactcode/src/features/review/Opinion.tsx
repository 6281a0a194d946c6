// The model's probability for an answered image: of a model without that answer, or else from when it was asked.
import type { PastAnswer } from "../../api";
import { percent } from "../../core/words";

export function Opinion({ answer }: { readonly answer: PastAnswer }) {
  const [who, probability] = opinion(answer);
  if (probability === null) return <span className="opinion" />;
  return (
    <span className="opinion">
      <span className="who">{who}: </span>
      {percent(probability)}
    </span>
  );
}

/** The opinion in words; empty where there is none. */
export function opinionOf(answer: PastAnswer): string {
  const [who, probability] = opinion(answer);
  return probability === null ? "" : `${who}: ${percent(probability)}`;
}

function opinion({ held_out, probability }: PastAnswer): readonly [string, number | null] {
  return held_out === null ? ["when asked", probability] : ["model without it", held_out];
}
