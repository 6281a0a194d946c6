// The end of a sitting: what became of the answers that looked wrong, and whether there are more.
import { useEffect, useRef } from "react";
import type { Correction } from "../../core/session";
import { count } from "../../core/words";
import type { Session } from "../../ui";
import { outcomeOf } from "./slips";
import { useSlipsLeftAfter } from "./useSlips";

interface Props {
  readonly session: Session;
  /** How many were shown. */
  readonly looked: number;
  readonly corrections: readonly Correction[];
  readonly onAgain: () => void;
}

export function SlipsEnd({ session: { engine, state }, looked, corrections, onAgain }: Props) {
  const { changed, confirmed } = outcomeOf(corrections);
  const left = useSlipsLeftAfter(state.waiting);
  const onward = useRef<HTMLButtonElement>(null);
  useEffect(() => onward.current?.focus(), [left]);
  const later = looked - changed - confirmed;
  const hasMore = left !== null && left > 0;
  return (
    <div className="empty" id="slips-end">
      {looked === 0 ? (
        <p>No answer looks wrong.</p>
      ) : (
        <p>
          <b>{count(changed)} changed</b>, {count(confirmed)} confirmed
          {later > 0 && `, ${count(later)} left for later`}.
        </p>
      )}
      {hasMore && left > later && (
        <p>{left === 1 ? "1 answer waits" : `${count(left)} answers wait`} for a look.</p>
      )}
      <button
        type="button"
        className="switch"
        ref={onward}
        onClick={hasMore && looked > 0 ? onAgain : () => engine.toggle("slips")}
      >
        {hasMore && looked > 0 ? "go on" : "back to the images"}
      </button>
    </div>
  );
}
