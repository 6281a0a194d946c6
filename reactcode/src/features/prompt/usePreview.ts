// What the words lead to, asked anew while they are typed.
import * as api from "../../api";
import { Refused } from "../../api";
import { count, reasonOf } from "../../core/words";
import { useAsked } from "../../ui";

const SETTLE_MS = 50; // a person types on
const AGAIN_MS = [1500]; // inference was busy or down
const MOST_CHARACTERS = 1000;
const SUPERSEDED = 409; // another tab has asked meanwhile
const UNKNOWN = "what these words lead to is not known now";

export interface Preview {
  /** Of these words, or of those before while an answer is under way; null: nothing is known of them. */
  readonly preview: api.PromptPreview | null;
  readonly isCurrent: boolean;
  /** Why nothing is known of them, in a sentence. */
  readonly trouble: string | null;
  /** Whether they may be kept. */
  readonly isGood: boolean;
}

export function usePreview(text: string, client: string): Preview {
  const words = text.trim();
  const isLong = words.length > MOST_CHARACTERS;
  const ask = words === "" || isLong ? null : () => api.promptPreview(words, client);
  const wait_ms = (since_ms: number) => (since_ms === Infinity ? 0 : SETTLE_MS);
  const { answer, error, about } = useAsked(ask, words, { wait_ms, again_ms: AGAIN_MS });
  if (isLong) return { preview: null, isCurrent: true, trouble: tooLong(words.length), isGood: false };
  if (words === "") return { preview: null, isCurrent: true, trouble: null, isGood: true };
  const isCurrent = about === words;
  const isTrouble = error !== null && isCurrent && !(error instanceof Refused && error.status === SUPERSEDED);
  return {
    preview: isTrouble ? null : answer,
    isCurrent: isCurrent && error === null,
    trouble: isTrouble ? reasonOf(error, UNKNOWN) : null,
    isGood: true,
  };
}

function tooLong(characters: number): string {
  return `These are ${count(characters)} characters; shorten them to ${count(MOST_CHARACTERS)} at most.`;
}
