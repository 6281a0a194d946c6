// The map as the server knows it, followed while it is open: its clusters, its points, and what was answered just now.
import { useEffect, useState } from "react";
import * as api from "../../api";
import type { FolderMap, Label } from "../../api";
import { pointsOf, type Points, withAnswers } from "../../core/map";
import type { State } from "../../core/session";
import { useAsked } from "../../ui";

export interface Mapped {
  /** Null until the server has said anything. */
  readonly overview: FolderMap | null;
  /** Null while there is no map. */
  readonly points: Points | null;
  readonly isAway: boolean;
  /** These images have an answer on its way: the points show it at once. */
  readonly onAnswered: (images: readonly number[], label: Exclude<Label, "skipped">) => void;
}

const BEAT_MS = { coming: 2_000, there: 15_000 }; // how often the server is asked although it said nothing new
const PAUSE_MS = { least: 500, most: 10_000, per_image: 0.01 }; // between two looks: the more points, the longer

export function useMap(state: State): Mapped {
  const [isComing, setComing] = useState(true);
  const beat = useBeat(isComing ? BEAT_MS.coming : BEAT_MS.there);
  const images = state.status?.images ?? 0;
  const pause_ms = Math.min(Math.max(images * PAUSE_MS.per_image, PAUSE_MS.least), PAUSE_MS.most);
  const isQuiet = state.waiting === 0; // else the server does not know the newest answers yet
  const asked = useAsked(isQuiet || isComing ? api.folderMap : null, `${newsOf(state)} ${beat}`, {
    wait_ms: (since_ms) => pause_ms - since_ms,
    again_ms: [BEAT_MS.coming],
  });
  const overview = asked.answer;
  const isThere = overview !== null && !overview.coming;
  if (isComing === isThere) setComing(!isThere);
  const look = async () => pointsOf(await api.mapPoints(overview?.generation ?? 0));
  const { answer: fetched, error } = useAsked(isThere ? look : null, overview, {
    again_ms: [BEAT_MS.coming],
  });
  const [mine, setMine] = useState<{ readonly of: Points; readonly points: Points } | null>(null);
  const known = mine !== null && mine.of === fetched ? mine.points : fetched;
  const points = isThere && known !== null && known.size > 0 ? known : null;
  const onAnswered: Mapped["onAnswered"] = (chosen, label) => {
    if (fetched && points) setMine({ of: fetched, points: withAnswers(points, chosen, label) });
  };
  return { overview, points, isAway: (asked.error ?? error) !== null, onAnswered };
}

/** What changes when the map may look different. */
function newsOf({ status }: State): string {
  if (status === null) return "";
  const { positives, negatives, skipped, left, images, unreadable, map, model, ranking, finished } = status;
  const versions = [map, model?.generation, ranking?.generation, finished?.id];
  return [positives, negatives, skipped, left, images, unreadable, ...versions].join(" ");
}

/** A number that grows by one after every so many milliseconds. */
function useBeat(period_ms: number): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setBeat((before) => before + 1), period_ms);
    return () => clearInterval(timer);
  }, [period_ms]);
  return beat;
}
