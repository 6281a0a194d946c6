// How the model would label the unreviewed images; asked again when the threshold moves and as the run goes on.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import * as api from "../../api";
import { newId } from "../../core/browser";
import type { State } from "../../core/session";
import { reasonOf, LAST_KNOWN } from "../../core/words";
import { useAsked } from "../../ui";

const SETTLE_MS = 120; // the threshold is being moved
const LEAST_MS = 1_000; // at least, between two questions that no person has caused
const WRITING_MS = 300;

/** What to preview; null: what the server finds best. */
export interface Wanted {
  readonly threshold: number | null;
  readonly band: api.Range | null;
}

export const USUAL: Wanted = { threshold: null, band: null };

export interface Finishing {
  readonly preview: api.FinishPreview | null;
  /** Whether the preview is of what is wanted now. */
  readonly isCurrent: boolean;
  readonly trouble: string | null;
  /** Resolves to whether the labelling has begun. */
  readonly finish: () => Promise<boolean>;
  readonly undo: () => Promise<void>;
}

export function useFinish({ status, link }: State, client: string, wanted: Wanted): Finishing {
  const [turn, setTurn] = useState(0);
  const [failure, setFailure] = useState({ error: null as unknown, at_ms: 0 });
  const looked = useRef<Wanted | null>(null); // what the last question was for; null: the next question does not wait long
  const id = useRef(newId());
  const about = useMemo(() => ({ status, link, wanted, turn }), [status, link, wanted, turn]);
  const ask = async () => {
    looked.current = wanted;
    const preview = await api.finishPreview(wanted.threshold, wanted.band);
    return { preview, of: wanted, at_ms: performance.now() };
  };
  const wait_ms = (since_ms: number) => {
    if (since_ms === Infinity) return 0;
    return looked.current === wanted ? Math.max(0, LEAST_MS - since_ms) : SETTLE_MS;
  };
  const { answer: known, error } = useAsked(ask, about, { wait_ms });
  const preview = known?.preview ?? null;
  const isFailureNews = failure.at_ms > (known?.at_ms ?? 0);
  const trouble = (isFailureNews ? failure.error : null) ?? error;
  const look = useCallback(() => {
    looked.current = null;
    setTurn((before) => before + 1);
  }, []);
  const isWriting = preview?.writing != null;
  useEffect(() => {
    if (!isWriting) return;
    const timer = setInterval(look, WRITING_MS);
    return () => clearInterval(timer);
  }, [isWriting, look]);
  const doing = async (deed: () => Promise<unknown>): Promise<boolean> => {
    try {
      await deed();
      id.current = newId();
      return true;
    } catch (error) {
      setFailure({ error, at_ms: performance.now() });
      return false;
    } finally {
      look();
    }
  };
  const finish = async () => {
    if (preview === null || preview.checkpoint === null) return false;
    const { threshold, checkpoint } = preview;
    return doing(() => api.finish({ threshold, checkpoint, id: id.current, client }));
  };
  return {
    preview,
    isCurrent: known?.of === wanted,
    trouble: trouble == null ? (preview?.trouble ?? null) : reasonOf(trouble, LAST_KNOWN),
    finish,
    undo: async () => void (await doing(api.undoFinish)),
  };
}
