// The answers of one sitting: those that look most wrong when it begins.
import { useEffect, useState } from "react";
import * as api from "../../api";
import type { Slip } from "../../api";

const SITTING = 100; // after so many, what is suspicious is worked out anew: the model has learnt from them

export interface Sitting {
  /** Null while they are on their way. */
  readonly slips: readonly Slip[] | null;
  readonly total: number;
  readonly isAway: boolean;
}

export function useSlips(): Sitting {
  const [sitting, setSitting] = useState<Sitting>({ slips: null, total: 0, isAway: false });
  useEffect(() => {
    let isOver = false;
    void api.slips(SITTING).then(
      ({ slips, total }) => isOver || setSitting({ slips, total, isAway: false }),
      () => isOver || setSitting({ slips: null, total: 0, isAway: true }),
    );
    return () => {
      isOver = true;
    };
  }, []);
  return sitting;
}

/** How many there are; asked for whenever `when` changes, null while it is not known. */
export function useSlipsLeft(when: unknown): number | null {
  const [left, setLeft] = useState<number | null>(null);
  useEffect(() => {
    let isOver = false;
    void api.slips(0).then(
      ({ total }) => isOver || setLeft(total),
      () => undefined, // what was last known stays
    );
    return () => {
      isOver = true;
    };
  }, [when]);
  return left;
}
