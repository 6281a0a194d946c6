// Labels that a person has already: choose a file, see what it would do, take it over, take it back.
import type { ColumnName, ImportPlan, Some } from "../../api";
import { noun, count, counted, nameOf, takenBack } from "../../core/words";
import { type Session, Dialog, useChoices } from "../../ui";
import { useImport, type Importing, type Meaning } from "./useImport";

export function Import({ session }: { readonly session: Session }) {
  const { engine } = session;
  const importing = useImport();
  const choices = useChoices();
  const { file, plan, done, isBusy, trouble } = importing.state;
  return (
    <Dialog title="Take over labels" className="import" onClose={() => engine.toggle("import")}>
      <label className="file">
        {!file && (
          <span>A .csv, .tsv, .jsonl, .json or .pickle file that names images and their labels.</span>
        )}
        <input
          id="import-file"
          type="file"
          aria-label="File of labels"
          {...(choices && { accept: choices.import_suffixes.join(",") })}
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            if (chosen) void importing.choose(chosen);
          }}
        />
      </label>
      <p className="trouble" role="alert">
        {trouble}
      </p>
      <div aria-busy={isBusy} aria-live="polite">
        {done ? (
          <Done session={session} importing={importing} />
        ) : (
          <>
            <Columns importing={importing} />
            {plan && <Plan session={session} importing={importing} plan={plan} />}
          </>
        )}
      </div>
    </Dialog>
  );
}

const ASKED = { path_column: "Which column names the image?", label_column: "Which column names the class?" };

/** The columns of a table that have no usual names: the person says which is which. */
function Columns({ importing }: { readonly importing: ReturnType<typeof useImport> }) {
  const { unnamed, columns, isBusy } = importing.state;
  if (unnamed === null) return null;
  const asked = (Object.keys(ASKED) as ColumnName[]).filter(
    (column) => column === unnamed.missing || columns[column] !== undefined,
  );
  return (
    <fieldset className="words columns">
      <legend>Please name the columns of this table</legend>
      {asked.map((column) => (
        <label key={column}>
          <span>{ASKED[column]}</span>
          <select
            value={columns[column] ?? ""}
            disabled={isBusy}
            onChange={(event) => void importing.name(column, event.target.value)}
          >
            <option value="" disabled>
              choose
            </option>
            {unnamed.columns.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      ))}
    </fieldset>
  );
}

interface Props {
  readonly session: Session;
  readonly importing: ReturnType<typeof useImport>;
}

function Plan({ session, importing, plan }: Props & { readonly plan: ImportPlan }) {
  const { status } = session.state;
  const { overwrite, isBusy } = importing.state;
  const taken = labelsOf(plan) + (overwrite ? plan.conflicts.images : 0);
  return (
    <>
      <ul className="plan">
        <Line of={plan.positive} one="becomes" many="become" says={`“${nameOf(status, "positive")}”`} />
        <Line of={plan.negative} one="becomes" many="become" says={`“${nameOf(status, "negative")}”`} />
        <Line of={plan.skipped} one="is" many="are" says="skipped" />
        <Line of={plan.same} one="has" many="have" says="that label already" />
        {plan.rules?.map(({ rule, paths, says }) => (
          <li key={rule}>
            <b>{count(paths)}</b> {paths === 1 ? "path" : "paths"} {says}
          </li>
        ))}
        <Examples
          some={plan.conflicts}
          one="has another label, and keeps it"
          many="have another label, and keep it"
        />
        <Examples
          some={plan.contradictions}
          one="has two labels in the file, and gets neither"
          many="have two labels in the file, and get neither"
        />
        <Examples
          some={plan.ambiguous}
          one={`may mean several ${noun(status)}, and is left out`}
          many={`may mean several ${noun(status)}, and are left out`}
        />
        {plan.elsewhere && (
          <Examples
            some={plan.elsewhere}
            one={`has the file name of one ${noun(status, 1)}, but another folder, and is left out`}
            many={`have the file names of ${noun(status)}, but other folders, and are left out`}
          />
        )}
        {plan.claimed && (
          <Examples
            some={plan.claimed}
            one="matches an image only loosely, as another path does, and is left out"
            many="match images only loosely, as other paths do, and are left out"
          />
        )}
        {plan.of_photos && (
          <Examples
            some={plan.of_photos}
            one="is a whole photo, which says nothing about a single tile"
            many="are whole photos, which say nothing about a single tile"
          />
        )}
        <Examples
          some={plan.unknown}
          one={`is no ${noun(status, 1)} of this run`}
          many={`are no ${noun(status)} of this run`}
        />
        <Line
          of={plan.by_model}
          one="was labelled by a model, not by a person, and is"
          many="were labelled by a model, not by a person, and are"
          says="left out"
        />
        <Line of={plan.unlabelled ?? 0} one="row has" many="rows have" says="no label" />
      </ul>
      <Words session={session} importing={importing} plan={plan} />
      {plan.conflicts.images > 0 && (
        <label className="overwrite">
          <input
            id="overwrite"
            type="checkbox"
            checked={overwrite}
            onChange={(event) => importing.setOverwrite(event.target.checked)}
          />
          <span>Also change the {counted(plan.conflicts.images, "that has", "that have")} another label</span>
        </label>
      )}
      <p>
        <button
          type="button"
          id="take-over"
          className="switch"
          disabled={isBusy || taken === 0}
          onClick={() => void importing.store()}
        >
          {taken === 0 ? "Nothing to take over" : `Take over ${counted(taken, "label", "labels")}`}
        </button>
      </p>
    </>
  );
}

function labelsOf({ positive, negative, skipped }: ImportPlan): number {
  return positive + negative + skipped;
}

interface SaidProps {
  readonly one: string;
  readonly many: string;
}

function Line({ of, one, many, says }: SaidProps & { readonly of: number; readonly says: string }) {
  if (of === 0) return null;
  return (
    <li>
      <b>{count(of)}</b> {of === 1 ? one : many} {says}
    </li>
  );
}

function Examples({ some, one, many }: SaidProps & { readonly some: Some }) {
  if (some.images === 0) return null;
  return (
    <li>
      <b>{count(some.images)}</b> {some.images === 1 ? one : many}
      <small>
        {some.examples.join(", ")}
        {some.images > some.examples.length && " …"}
      </small>
    </li>
  );
}

/** Words of the file without a meaning here; the person chooses one, and the choice is kept. */
function Words({ session, importing, plan }: Props & { readonly plan: ImportPlan }) {
  const { status } = session.state;
  const { words }: Importing = importing.state;
  const unread = Object.entries(plan.unread);
  const asked = [...words.keys()].filter((word) => !(word in plan.unread)).map((word) => [word, 0] as const);
  if (unread.length + asked.length === 0) return null;
  return (
    <fieldset className="words">
      <legend>What do these words mean?</legend>
      {[...asked, ...unread].map(([word, images]) => (
        <label key={word}>
          <span>
            “{word}” {images > 0 && <small>{count(images)}</small>}
          </span>
          <select
            value={words.get(word) ?? ""}
            onChange={(event) => void importing.mean(word, event.target.value as Meaning)}
          >
            <option value="">no label</option>
            <option value="positive">{nameOf(status, "positive")}</option>
            <option value="negative">{nameOf(status, "negative")}</option>
          </select>
        </label>
      ))}
    </fieldset>
  );
}

function Done({ session, importing }: Props) {
  const { done, undone, overwrite, isBusy } = importing.state;
  if (done === null) return null;
  const taken = labelsOf(done) + (overwrite ? done.conflicts.images : 0);
  const { group } = done;
  return (
    <>
      <p id="imported">
        {undone === null ? `${counted(taken, "label is", "labels are")} taken over.` : takenBack(undone)}
      </p>
      <p>
        {group !== null && undone === null && (
          <button
            type="button"
            id="undo-import"
            className="plain text"
            disabled={isBusy}
            onClick={() => void importing.undo(group)}
          >
            {taken === 1 ? "Take it back" : "Take them back"}
          </button>
        )}
        <button type="button" className="plain text" onClick={() => session.engine.toggle("import")}>
          Close
        </button>
      </p>
    </>
  );
}
