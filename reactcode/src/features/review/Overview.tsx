// The review's grid of past answers, with the filters above it.
import { useState, type RefObject } from "react";
import type { Filter } from "../../api";
import { keyLabel, type Bindings } from "../../core/keys";
import type { State } from "../../core/session";
import { count, nameOf } from "../../core/words";
import { Filters } from "./Filters";
import { ReviewCell } from "./ReviewCell";
import type { Seen } from "./reviewed";
import type { Review } from "./useReview";

export const FIRST: Filter = { order: "suspicious" };

interface Props {
  readonly state: State;
  readonly bindings: Bindings;
  readonly list: Review;
  readonly all: readonly Seen[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly onChosen: () => void;
  readonly place: number;
  readonly onPlace: (place: number) => void;
  readonly onOpen: () => void;
  readonly cells: RefObject<HTMLUListElement | null>;
  readonly onSlips: () => void;
  readonly isBehind: boolean;
}

export function Overview(props: Props) {
  const { state, bindings, list, all, filter, onFilter, onChosen } = props;
  const { place, onPlace, onOpen, cells, onSlips, isBehind } = props;
  const [resets, setResets] = useState(0);
  const reset = () => {
    onFilter(FIRST);
    setResets(resets + 1);
  };
  return (
    <div className="overview" inert={isBehind}>
      <Filters key={resets} state={state} filter={filter} onChange={onFilter} onChosen={onChosen} />
      <Count list={list} bindings={bindings} onSlips={onSlips} />
      <div className="scroll" aria-busy={list.isLoading}>
        {isEmpty(list) && <Nothing filter={filter} onReset={reset} />}
        <ul className="cells" aria-label="Past answers" ref={cells}>
          {all.map((seen, number) => (
            <ReviewCell
              key={seen.path}
              seen={seen}
              name={nameOf(state.status, seen.label)}
              isCurrent={number === place}
              onFocus={() => onPlace(number)}
              onOpen={onOpen}
            />
          ))}
        </ul>
        {all.length > 0 && !list.isComplete && (
          <button type="button" className="switch" id="review-more" onClick={list.more}>
            more
          </button>
        )}
      </div>
    </div>
  );
}

function isEmpty({ answers, isLoading, trouble }: Review): boolean {
  return answers.length === 0 && !isLoading && trouble === null;
}

interface CountProps {
  readonly list: Review;
  readonly bindings: Bindings;
  readonly onSlips: () => void;
}

function Count({ list, bindings, onSlips }: CountProps) {
  const { answers, total, trouble, isComplete } = list;
  const shown = isComplete ? "" : `the first ${count(answers.length)} of `;
  return (
    <p className="count">
      <span id="review-count" role="status">
        {trouble ?? (answers.length > 0 && `${shown}${count(total)} answer${total === 1 ? "" : "s"}`)}
      </span>
      {trouble !== null && (
        <button type="button" className="plain text" onClick={list.again}>
          try again
        </button>
      )}
      {answers.length > 0 && (
        <button
          type="button"
          className="switch"
          id="review-slips"
          title={keyLabel(bindings.slips)}
          onClick={onSlips}
        >
          check what looks wrong
        </button>
      )}
      {answers.length > 0 && <span className="hint">{hint(bindings)}</span>}
    </p>
  );
}

function hint({ positive, negative, skipped, undo }: Bindings): string {
  const labels = [positive, negative, skipped].map(keyLabel).join(", ");
  return `${labels} change the one in focus, ${keyLabel(undo)} takes that back, Enter shows it large`;
}

interface NothingProps {
  readonly filter: Filter;
  readonly onReset: () => void;
}

function Nothing({ filter, onReset }: NothingProps) {
  const { disagrees } = filter;
  const isNarrow = Object.keys(filter).some((name) => name !== "order" && name !== "disagrees");
  return (
    <div className="empty">
      <p>{disagrees && !isNarrow ? AGREES : isNarrow ? NONE_FITS : NO_ANSWER}</p>
      {(isNarrow || disagrees) && (
        <button type="button" className="switch" onClick={onReset}>
          show all
        </button>
      )}
    </div>
  );
}

const AGREES = "The model disagrees with none of the answers.";
const NONE_FITS = "No answer matches these filters.";
const NO_ANSWER = "There is no answer yet. Your answers appear here, the most suspicious first.";
