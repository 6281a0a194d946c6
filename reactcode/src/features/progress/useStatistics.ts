// What the server has counted, asked anew as the run goes on; what was known stays while the server is away.
import { useEffect, useRef, useState } from "react";
import * as api from "../../api";
import type { State } from "../../core/session";

const POINTS = 200;
const LEAST_MS = 2_000; // between two questions

export interface Known {
  readonly statistics: api.Statistics | null;
  readonly isAway: boolean;
}

export function useStatistics({ status, link }: State): Known {
  const [known, setKnown] = useState<Known>({ statistics: null, isAway: false });
  const due_ms = useRef(0);
  useEffect(() => {
    const ask = () => {
      due_ms.current = performance.now() + LEAST_MS;
      void api.statistics(POINTS).then(
        (statistics) => setKnown({ statistics, isAway: false }),
        () => setKnown((before) => ({ ...before, isAway: true })),
      );
    };
    const timer = setTimeout(ask, Math.max(0, due_ms.current - performance.now()));
    return () => clearTimeout(timer);
  }, [status, link]);
  return known;
}
