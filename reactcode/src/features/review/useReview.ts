// The past answers that a person looks through: which ones, in which order, page by page.
import { useCallback, useEffect, useRef, useState } from "react";
import * as api from "../../api";
import type { Filter, PastAnswer } from "../../api";
import { reasonOf, LAST_KNOWN } from "../../core/words";

const PAGE = 60;
const MOST = 1000; // what the server hands out at once
const SETTLE_MS = 200; // a filter is being typed

export interface Listed {
  readonly answers: readonly PastAnswer[];
  readonly total: number;
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  /** Why the list could not be loaded; null while all is well. */
  readonly trouble: string | null;
}

const NOTHING: Listed = { answers: [], total: 0, isComplete: false, isLoading: true, trouble: null };

export interface Review extends Listed {
  readonly more: () => void;
  readonly again: () => void;
}

/**
 * The answers that a filter lets through; a change of the filter begins anew.
 *
 * @param moved how many answers may have left the list since it was loaded, so that later ones have moved up.
 */
export function useReview(filter: Filter, moved: number): Review {
  const [listed, setListed] = useState(NOTHING);
  const [attempt, setAttempt] = useState(0);
  const questions = useRef(0);
  const load = useCallback(
    (offset: number, limit: number, known: readonly PastAnswer[]) => {
      const question = ++questions.current;
      const answered = (change: (before: Listed) => Listed) => {
        if (question === questions.current) setListed(change); // else another question was asked meanwhile
      };
      setListed((before) => ({ ...before, isLoading: true }));
      void api.past(limit, offset, filter).then(
        ({ annotations, total }) => answered(() => withPage(known, annotations, total, limit)),
        (error: unknown) => {
          answered((before) => ({ ...before, isLoading: false, trouble: reasonOf(error, LAST_KNOWN) }));
        },
      );
    },
    [filter],
  );
  useEffect(() => {
    const timer = setTimeout(() => load(0, PAGE, []), questions.current === 0 ? 0 : SETTLE_MS);
    return () => clearTimeout(timer);
  }, [load, attempt]);
  const more = () => {
    const offset = Math.max(0, listed.answers.length - moved);
    load(offset, Math.min(PAGE + moved, MOST), listed.answers);
  };
  return { ...listed, more, again: () => setAttempt(attempt + 1) };
}

function withPage(
  known: readonly PastAnswer[],
  page: readonly PastAnswer[],
  total: number,
  limit: number,
): Listed {
  const paths = new Set(known.map(({ path }) => path));
  const answers = [...known, ...page.filter(({ path }) => !paths.has(path))];
  const isComplete = page.length < limit || answers.length >= total;
  return { answers, total, isComplete, isLoading: false, trouble: null };
}
