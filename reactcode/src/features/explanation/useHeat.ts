// Lays the explanation's map over its own picture.
import { useEffect } from "react";
import type { Status } from "../../api";
import { keyOf } from "../../core/session";
import type { Lens } from "../looking";
import { painting, sentenceOf } from "./heat";
import type { Why } from "./useExplanation";

export function useHeat(lens: Lens, status: Status | null, why: Why): void {
  const map = why?.explanation?.map ?? null;
  const queued = why?.queued ?? null;
  const name = status?.classes.positive ?? "positive";
  useEffect(() => {
    if (map === null || queued === null) return lens.glass.lay(null, null);
    const canvas = painting(map);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", sentenceOf(map, name));
    lens.glass.lay(keyOf(queued), canvas);
  }, [lens, map, queued, name]);
}
