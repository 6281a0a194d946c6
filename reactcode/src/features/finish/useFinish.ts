// What the model would make of the rest, asked anew as the person moves the threshold and as the run goes on.
import { useCallback, useEffect, useRef, useState } from "react";
import * as api from "../../api";
import { newId } from "../../core/browser";
import type { State } from "../../core/session";

const SETTLE_MS = 120; // the threshold is being moved
const LEAST_MS = 1_000; // between two questions that nobody has asked for
const WRITING_MS = 300;

/** What to look at; null: what the server finds best. */
export interface Wanted {
  readonly threshold: number | null;
  readonly band: api.Range | null;
}

export const USUAL: Wanted = { threshold: null, band: null };

export interface Finishing {
  readonly outlook: api.Outlook | null;
  /** Whether the figures are those of what was asked for last. */
  readonly isCurrent: boolean;
  readonly trouble: string | null;
  /** Resolves to whether it was begun. */
  readonly finish: () => Promise<boolean>;
  readonly undo: () => Promise<void>;
}

interface Known {
  readonly outlook: api.Outlook | null;
  readonly of: Wanted | null;
  readonly trouble: string | null;
}

export function useFinish({ status, link }: State, client: string, wanted: Wanted): Finishing {
  const [known, setKnown] = useState<Known>({ outlook: null, of: null, trouble: null });
  const [times, again] = useState(0);
  const questions = useRef(0);
  const asked = useRef<{ readonly wanted: Wanted | null; readonly at_ms: number }>({
    wanted: null,
    at_ms: 0,
  });
  const id = useRef(newId());
  useEffect(() => {
    const isNew = asked.current.wanted !== wanted;
    const wait_ms = isNew ? SETTLE_MS : Math.max(0, asked.current.at_ms + LEAST_MS - performance.now());
    const timer = setTimeout(
      () => {
        const question = ++questions.current;
        asked.current = { wanted, at_ms: performance.now() };
        void api.outlook(wanted.threshold, wanted.band).then(
          (outlook) => {
            if (question === questions.current) setKnown({ outlook, of: wanted, trouble: null });
          },
          (error: unknown) => setKnown((before) => ({ ...before, trouble: sentenceOf(error) })),
        );
      },
      questions.current === 0 ? 0 : wait_ms,
    );
    return () => clearTimeout(timer);
  }, [status, link, wanted, times]);
  const look = useCallback(() => {
    asked.current = { wanted: null, at_ms: 0 };
    again((before) => before + 1);
  }, []);
  const isWriting = known.outlook?.writing != null;
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
      setKnown((before) => ({ ...before, trouble: sentenceOf(error) }));
      return false;
    } finally {
      look();
    }
  };
  const finish = async () => {
    const { outlook } = known;
    if (outlook === null || outlook.checkpoint === null) return false;
    const { threshold, checkpoint } = outlook;
    return doing(() => api.finish({ threshold, checkpoint, id: id.current, client }));
  };
  return {
    outlook: known.outlook,
    isCurrent: known.of === wanted,
    trouble: known.trouble ?? known.outlook?.trouble ?? null,
    finish,
    undo: async () => void (await doing(api.undoFinish)),
  };
}

function sentenceOf(error: unknown): string {
  return error instanceof api.Refused ? error.message : "The server is away; this is what was last known.";
}
