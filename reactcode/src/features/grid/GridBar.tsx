// Below the grid: how many images, what the keys do, undo, skip, and the answer for all remaining images; and the way in.
import { useRef } from "react";
import { keyLabel, perform } from "../../core/keys";
import { againstModel, gridAnswers, markOf, SIZES, type State } from "../../core/session";
import { noun, nameOf, percent, leftInWords } from "../../core/words";
import { useFocusMeanwhile, type Session, Icon, Key, Press } from "../../ui";

interface Props {
  readonly session: Session;
}

export function GridBar({ session }: Props) {
  return (
    <footer className="grid-bar">
      {session.state.grid.isAsking ? (
        <Question session={session} />
      ) : (
        <>
          <Size session={session} />
          <GridAnswers session={session} />
          <Hint session={session} />
        </>
      )}
    </footer>
  );
}

/** Asks before a page that contradicts the model is stored: which answers do, and both ways out. */
function Question({ session }: Props) {
  const { engine, state } = session;
  const host = useRef<HTMLDivElement>(null);
  useFocusMeanwhile(host);
  return (
    <div
      id="against"
      className="against"
      role="alertdialog"
      aria-labelledby="against-what"
      ref={host}
      tabIndex={-1}
    >
      <p id="against-what">
        <b>Against the model:</b> {contradictions(state)}. Is that right?
      </p>
      <div className="answers">
        <Press id="go-back" className="answer" onClick={() => engine.dispatch({ type: "gridBack" })}>
          <span className="name">Go back</span>
          <Key name="esc" />
        </Press>
        <Store session={session} says="Yes: " />
      </div>
    </div>
  );
}

/** Which answers go against the model, and how sure it is of the others. */
function contradictions(state: State): string {
  const against = againstModel(state);
  const parts = OPPOSITES.flatMap(([label, other]) => {
    const chances = against.flatMap(({ queued: { probability }, label: said }) =>
      said === label && probability !== null ? (other === "positive" ? probability : 1 - probability) : [],
    );
    const [least, most] = [percent(Math.min(...chances)), percent(Math.max(...chances))];
    const range = least === most ? most : `${least.replace(" %", "")} to ${most}`;
    const [name, otherName] = [nameOf(state.status, label), nameOf(state.status, other)];
    return chances.length > 0 ? [`${chances.length} “${name}” that it calls “${otherName}” (${range})`] : [];
  });
  return parts.join(", ");
}

const OPPOSITES = [
  ["positive", "negative"],
  ["negative", "positive"],
] as const;

/** The button that stores the answers of the grid, with how many there are of each. */
function Store({ session, says = "" }: Props & { readonly says?: string }) {
  const { engine, state } = session;
  const { grid, past } = state;
  const tally = tallyOf(state);
  const words = tally.map(([number, name]) => `${number} ${name}`).join(", ");
  return (
    <Press
      id="store"
      className="answer store"
      title={`${words} (Enter)`}
      disabled={grid.cells.length === 0}
      onClick={() => engine.answerGrid()}
    >
      <Icon name="done" />
      <span className="name">
        {says}
        {tally.map(([number, name], place) => (
          <span key={place}>
            {number} {name}
            {place < tally.length - 1 && ", "}
          </span>
        ))}
      </span>
      <Key name="enter" />
      {grid.last && <span key={past.length} className="flash" />}
    </Press>
  );
}

/** How many images get which answer: of those painted, or of all cells before any is painted. */
function tallyOf(state: State): readonly (readonly [number, string])[] {
  const answers = gridAnswers(state).map(({ label }) => label);
  const coming = state.grid.cells.map((cell) => markOf(state, cell) ?? "negative");
  const labels = answers.length > 0 ? answers : coming;
  return (["positive", "negative", "skipped"] as const)
    .map(
      (label) =>
        [labels.filter((each) => each === label).length, nameOf(state.status, label), label] as const,
    )
    .filter(([number, , label]) => number > 0 || label !== "skipped")
    .map(([number, name]) => [number, name]);
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
          event.target.blur(); // the keys belong to the cells again
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
  const { grid } = state;
  return (
    <div className="answers" role="group" aria-label="Answers">
      <Press id="undo" className="answer undo" title="undo" onClick={() => perform(engine, "undo", "button")}>
        <Icon name="undo" />
        <span className="name">undo</span>
        <Key name={bindings.undo} />
      </Press>
      <Press
        id="skip"
        className="answer skip"
        aria-pressed={grid.isSkipping}
        title="The next image that you choose is skipped"
        disabled={grid.cells.length === 0}
        onClick={() => engine.dispatch({ type: "gridSkipping" })}
      >
        <Icon name="skip" />
        <span className="name">skip one</span>
        <Key name={bindings.skipped} />
      </Press>
      <Store session={session} />
    </div>
  );
}

/** What to do with the images. */
function Hint({ session }: Props) {
  const { state } = session;
  const { grid, status } = state;
  const first = status?.asked_first;
  const name = nameOf(status, "positive");
  const isMarked = grid.cells.some((cell) => !grid.marks.has(cell.image) && markOf(state, cell) !== null);
  const toMark = isMarked ? `The model marked “${name}”: check each` : `Choose each “${name}”`;
  return (
    <p className="hint">
      {grid.isSkipping ? "Choose the image to skip" : toMark}
      {first && first.left > 0 && <span id="first">{leftInWords(first)}</span>}
    </p>
  );
}

export function GridButton({ session }: Props) {
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
