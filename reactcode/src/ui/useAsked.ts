// What the server says to a question, for a component that shows it; asked anew when what it is about changes.
import { useEffect, useEffectEvent, useRef, useState } from "react";

export interface Reply<Answer> {
  /** The newest answer; it stays while a newer question has none. Null before the first. */
  readonly answer: Answer | null;
  /** Why the newest question has no answer; null where it has one. */
  readonly error: unknown;
  /** What that question was about. */
  readonly about: unknown;
}

interface Times {
  /** How long to wait before a question, given how long ago the last one was put: Infinity before the first. */
  readonly wait_ms?: (since_ms: number) => number;
  /** After so long a question without an answer is put again; the last pause repeats. Left out: it is not. */
  readonly again_ms?: readonly number[];
}

/** `ask` null: there is nothing to ask now. An answer that comes after that of a newer question is dropped. */
export function useAsked<Answer>(
  ask: (() => Promise<Answer>) | null,
  about: unknown,
  { wait_ms = () => 0, again_ms = [] }: Times = {},
): Reply<Answer> {
  const [reply, setReply] = useState<Reply<Answer>>({ answer: null, error: null, about: null });
  const questions = useRef({ put: 0, replied: 0, last_ms: -Infinity });
  const isWanted = ask !== null;
  const put = useEffectEvent(async (): Promise<boolean> => {
    const known = questions.current;
    const question = ++known.put;
    known.last_ms = performance.now();
    const [answer, error] = await (ask?.() ?? Promise.reject(new Error("no question"))).then(
      (answer) => [answer, null] as const,
      (error: unknown) => [null, error] as const,
    );
    if (question > known.replied) {
      known.replied = question;
      setReply((before) => ({ answer: error === null ? answer : before.answer, error, about }));
    }
    return error === null;
  });
  const pause = useEffectEvent(() => wait_ms(performance.now() - questions.current.last_ms));
  const pauseAfter = useEffectEvent((attempt: number) => again_ms[Math.min(attempt, again_ms.length - 1)]);
  useEffect(() => {
    if (!isWanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const turn = async (attempt: number) => {
      const isAnswered = await put();
      if (isAnswered || isOver) return;
      const again = pauseAfter(attempt);
      if (again !== undefined) timer = setTimeout(() => void turn(attempt + 1), again);
    };
    const before = pause();
    if (before > 0) timer = setTimeout(() => void turn(0), before);
    else void turn(0);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [isWanted, about]);
  return reply;
}
