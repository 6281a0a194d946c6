// The server's statistics, asked again as the run goes on; the last ones stay while the server is away.
import { useMemo } from "react";
import * as api from "../../api";
import type { State } from "../../core/session";
import { useAsked, type Reply } from "../../ui";

const POINTS = 200;
const LEAST_MS = 2_000; // between two questions

export function useStatistics({ status, link }: State): Reply<api.Statistics> {
  const about = useMemo(() => ({ status, link }), [status, link]);
  return useAsked(() => api.statistics(POINTS), about, {
    wait_ms: (since_ms) => Math.max(0, LEAST_MS - since_ms),
  });
}
