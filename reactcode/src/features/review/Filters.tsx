// Which past answers the review shows, and in which order.
import type { AnySource, Filter, Label } from "../../api";
import type { State } from "../../core/session";
import { nameOf, sourceName } from "../../core/words";

interface Props {
  readonly state: State;
  readonly filter: Filter;
  readonly onChange: (filter: Filter) => void;
  /** Called when something was chosen by mouse or touch: the keys belong to the answers again. */
  readonly onChosen: () => void;
}

const LABELS: readonly Label[] = ["positive", "negative", "skipped"];
const SOURCES: readonly AnySource[] = ["key", "button", "timeout", "grid", "map", "api", "import"];

export function Filters({ state, filter, onChange, onChosen }: Props) {
  const change = (part: Readonly<Record<string, unknown>>) => {
    const all: readonly [string, unknown][] = Object.entries({ ...filter, ...part });
    onChange(Object.fromEntries(all.filter(([, value]) => isChosen(value))));
  };
  return (
    <form
      className="filters"
      aria-label="Which answers"
      onSubmit={(event) => event.preventDefault()}
      onChange={({ target }) => {
        if (!(target as Element).matches(":focus-visible")) onChosen();
      }}
    >
      <Choice
        id="review-order"
        name="order"
        value={filter.order}
        options={[
          ["suspicious", "most suspicious first"],
          ["newest", "newest first"],
        ]}
        onChange={(order) => change({ order })}
      />
      <Choice
        id="review-label"
        name="label"
        value={filter.label}
        options={[
          ["", "all labels"],
          ...LABELS.map((label) => [label, nameOf(state.status, label)] as const),
        ]}
        onChange={(label) => change({ label })}
      />
      <Choice
        id="review-source"
        name="source"
        value={filter.source}
        options={[["", "all sources"], ...SOURCES.map((source) => [source, sourceName(source)] as const)]}
        onChange={(source) => change({ source })}
      />
      <fieldset>
        <legend className="unseen">probability in per cent</legend>
        <Bound
          id="review-least"
          name="from"
          value={filter.least}
          empty="0"
          onChange={(least) => change({ least })}
        />
        <Bound
          id="review-most"
          name="to"
          value={filter.most}
          empty="100"
          onChange={(most) => change({ most })}
        />
        %
      </fieldset>
      <label className="tick">
        <input
          id="review-disagrees"
          type="checkbox"
          role="switch"
          checked={filter.disagrees ?? false}
          onChange={(event) => change({ disagrees: event.target.checked })}
        />
        the model disagrees
      </label>
    </form>
  );
}

function isChosen(value: unknown): boolean {
  return value !== undefined && value !== "" && value !== false;
}

interface ChoiceProps {
  readonly id: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly options: readonly (readonly [string, string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ id, name, value = "", options, onChange }: ChoiceProps) {
  return (
    <select id={id} aria-label={name} value={value} onChange={(event) => onChange(event.target.value)}>
      {options.map(([option, words]) => (
        <option key={option} value={option}>
          {words}
        </option>
      ))}
    </select>
  );
}

interface BoundProps {
  readonly id: string;
  readonly name: string;
  readonly value: number | undefined;
  readonly empty: string;
  readonly onChange: (value: number | undefined) => void;
}

/** A bound in per cent; anything but a number between 0 and 100 removes it. */
function Bound({ id, name, value, empty, onChange }: BoundProps) {
  return (
    <label>
      {name}
      <input
        id={id}
        type="number"
        inputMode="numeric"
        min={0}
        max={100}
        placeholder={empty}
        defaultValue={value === undefined ? "" : Math.round(100 * value)}
        onChange={({ target }) => {
          const isBound = target.value !== "" && target.validity.valid;
          onChange(isBound ? target.valueAsNumber / 100 : undefined);
        }}
      />
    </label>
  );
}
