// Labels from a file: first a plan of what would happen, then the import, then its undo as a whole.
import { useState } from "react";
import * as api from "../../api";
import { reasonOf } from "../../core/words";

export type Meaning = "positive" | "negative" | "";

export interface Importing {
  readonly file: File | null;
  readonly plan: api.ImportPlan | null;
  readonly done: api.Imported | null;
  readonly overwrite: boolean;
  /** The meaning that the person has given to words of the file; "": none. */
  readonly words: ReadonlyMap<string, Meaning>;
  /** The columns of a table, where the person has to say which is which; else null. */
  readonly unnamed: api.Unnamed | null;
  readonly columns: api.Reading["columns"];
  readonly isBusy: boolean;
  readonly trouble: string | null;
  /** How many labels an undo took back; null: none was asked for. */
  readonly undone: number | null;
}

const NOTHING: Importing = {
  file: null,
  plan: null,
  done: null,
  overwrite: false,
  words: new Map(),
  unnamed: null,
  columns: {},
  isBusy: false,
  trouble: null,
  undone: null,
};

function readingOf({ overwrite, words, columns }: Importing): api.Reading {
  const meaning = (wanted: Meaning) => [...words].filter(([, is]) => is === wanted).map(([word]) => word);
  return { overwrite, positive: meaning("positive"), negative: meaning("negative"), columns };
}

export function useImport() {
  const [state, setState] = useState(NOTHING);
  const ask = async (next: Importing, request: () => Promise<Partial<Importing>>) => {
    setState({ ...next, isBusy: true, trouble: null });
    try {
      const answer = await request();
      setState({ ...next, ...answer, isBusy: false, trouble: null });
    } catch (error) {
      const unnamed = api.unnamedIn(error);
      setState({
        ...next,
        unnamed: unnamed ?? next.unnamed,
        isBusy: false,
        trouble: unnamed ? null : reasonOf(error, "nothing was stored"),
      });
    }
  };
  const look = (next: Importing) =>
    ask(next, async () => (next.file ? { plan: await api.planImport(next.file, readingOf(next)) } : {}));
  return {
    state,
    choose: (file: File) => look({ ...NOTHING, file }),
    mean: (word: string, meaning: Meaning) =>
      look({ ...state, words: new Map([...state.words, [word, meaning]]) }),
    name: (column: api.ColumnName, called: string) =>
      look({ ...state, columns: { ...state.columns, [column]: called } }),
    setOverwrite: (overwrite: boolean) => setState({ ...state, overwrite }),
    store: () =>
      ask(state, async () =>
        state.file ? { done: await api.importLabels(state.file, readingOf(state)) } : {},
      ),
    undo: (group: string) => ask(state, async () => ({ undone: (await api.undoImport(group)).images })),
  };
}
