// Below the grid: how many images, what the keys do, undo, skip, and the answer for all the rest; and the way in.
import { keyLabel } from "../bindings";
import { SIZES } from "../grid";
import { noun } from "../tiles";
import type { Session } from "../useSession";
import { nameOf } from "../words";
import { leftInWords } from "../first";
import { Icon } from "./Icon";
import { Key } from "./Key";
import { Press } from "./Press";

interface Props {
  readonly session: Session;
}

export function GridBar({ session }: Props) {
  return (
    <footer className="grid-bar">
      <Size session={session} />
      <GridAnswers session={session} />
      <Hint session={session} />
    </footer>
  );
}

function Size({ session }: Props) {
  const { engine, state } = session;
  return (
    <label className="size" title="Images at once (+ and, on the number pad, -)">
      <select
        id="grid-size"
        aria-label="Images at once"
        value={state.grid.size}
        onChange={(event) => {
          engine.setGridSize(Number(event.target.value));
          event.target.blur(); // keys are the cells' again
        }}
      >
        {SIZES.map((size) => (
          <option key={size} value={size}>
            {size} {noun(state.status)}
          </option>
        ))}
      </select>
    </label>
  );
}

function GridAnswers({ session }: Props) {
  const { engine, state, bindings } = session;
  const { grid, status } = state;
  const rest = `Rest is ${nameOf(status, "negative")}`;
  return (
    <div className="answers" role="group" aria-label="Answers">
      <Press id="undo" className="answer undo" title="undo" onClick={() => engine.act("undo", "button")}>
        <Icon name="undo" />
        <span className="name">undo</span>
        <Key name={bindings.undo} />
      </Press>
      <Press
        id="skip"
        className="answer skip"
        aria-pressed={grid.isSkipping}
        title="The next cell chosen is skipped"
        disabled={grid.cells.length === 0}
        onClick={() => engine.dispatch({ type: "gridSkipping" })}
      >
        <Icon name="skip" />
        <span className="name">skip one</span>
        <Key name={bindings.skipped} />
      </Press>
      <Press
        id="rest"
        className="answer negative"
        title={`${rest} (Enter)`}
        disabled={grid.cells.length === 0}
        onClick={() => engine.answerGrid("button")}
      >
        <Icon name="negative" />
        <span className="name">{rest}</span>
        <Key name="enter" />
        {grid.last && <span key={state.past.length} className="flash" />}
      </Press>
    </div>
  );
}

/** What is marked so far; before that, how to mark. */
function Hint({ session }: Props) {
  const { grid, status } = session.state;
  const first = status?.asked_first;
  const marks = grid.cells.map(({ image }) => grid.marks.get(image));
  const name = nameOf(status, "positive");
  const having = (wanted: string) => marks.filter((mark) => mark === wanted).length;
  const skipped = having("skipped") > 0 ? `, ${having("skipped")} skipped` : "";
  const isFresh = having("positive") + having("skipped") === 0;
  const marked = isFresh ? `Choose each “${name}”` : `${having("positive")} ${name}${skipped}`;
  const sentence = grid.isSkipping ? "Choose the image to skip" : marked;
  return (
    <p className="hint">
      {sentence}
      {first && first.left > 0 && <span id="first">{leftInWords(first)}</span>}
    </p>
  );
}

export function GridDoor({ session }: Props) {
  const { engine, state, bindings } = session;
  return (
    <Press
      className="plain"
      id="grid-door"
      aria-label="Many at once"
      aria-expanded={state.grid.isOpen}
      title={`Many at once (${keyLabel(bindings.grid)})`}
      onClick={() => engine.toggle("grid")}
    >
      <Icon name="grid" />
    </Press>
  );
}
