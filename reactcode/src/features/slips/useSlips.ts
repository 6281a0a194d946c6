// The answers of one sitting: those that look most wrong when it begins.
import * as api from "../../api";
import type { Slip } from "../../api";
import { useAsked } from "../../ui";

const SITTING = 100; // after so many the suspicion is computed again, because the model has learnt from the corrections

export interface Sitting {
  /** Null while they are on their way. */
  readonly slips: readonly Slip[] | null;
  readonly total: number;
  readonly isAway: boolean;
}

export function useSlips(): Sitting {
  const { answer, error } = useAsked(() => api.slips(SITTING), null);
  return { slips: answer?.slips ?? null, total: answer?.total ?? 0, isAway: error !== null };
}

/** How many there are; asked for whenever `when` changes, null while it is not known. */
export function useSlipsLeft(when: unknown): number | null {
  return useAsked(() => api.slips(0), when).answer?.total ?? null;
}

/** How many are left once all answers have arrived, of which so many are waiting; null before that is known. */
export function useSlipsLeftAfter(waiting: number): number | null {
  const { answer, about } = useAsked(() => api.slips(0), waiting);
  return waiting === 0 && about === 0 ? (answer?.total ?? null) : null;
}
