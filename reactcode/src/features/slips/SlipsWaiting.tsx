// How many answers wait for a second look, and the way to them.
import type { Statistics } from "../../api";
import { keyLabel } from "../../core/keys";
import { count } from "../../core/words";
import { type Session, Figure } from "../../ui";
import { useSlipsLeft } from "./useSlips";

interface Props {
  readonly session: Session;
  readonly statistics: Statistics | null;
}

export function SlipsWaiting({ session: { engine, bindings }, statistics }: Props) {
  const left = useSlipsLeft(statistics);
  return (
    <Figure title="Answers that look wrong">
      <p className="value" id="slips-left">
        {left === null ? "–" : count(left)}
      </p>
      <p>
        A model that has not learnt these answers says the opposite, or it doubts them and they were given
        fast.
      </p>
      {left !== null && left > 0 && (
        <button
          type="button"
          className="switch"
          title={keyLabel(bindings.slips)}
          onClick={() => engine.toggle("slips")}
        >
          check them
        </button>
      )}
    </Figure>
  );
}
