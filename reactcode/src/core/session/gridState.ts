// What the page knows of the grid: its cells, how they are marked, and the steps that change them.
import type { Label, Queued } from "../../api";

/** How an image is marked; an image without a mark gets the negative label. */
export type Mark = "positive" | "skipped";

export interface GridAnswer {
  readonly queued: Queued;
  readonly label: Label;
  /** When it was painted, on the same clock as `at_ms` of the step `gridPainted`. */
  readonly painted_ms: number;
}

export interface Grid {
  /** Whether the person works in the grid; a panel or an image of the past may stand in front of it. */
  readonly isOpen: boolean;
  readonly size: number;
  /** In reading order; once there, an image keeps its place until it is answered. */
  readonly cells: readonly Queued[];
  /** The person's own marks; “negative” removes a mark that the model has set. */
  readonly marks: ReadonlyMap<number, Label>;
  readonly painted: ReadonlyMap<number, number>;
  /** Whether the next cell that is chosen is skipped. */
  readonly isSkipping: boolean;
  /** Whether the page asks the person to confirm answers that contradict the model. */
  readonly isAsking: boolean;
  /** Images whose page the person has been asked about already; once is enough. */
  readonly askedAbout: ReadonlySet<number>;
  readonly last: Readonly<Record<Label, number>> | null;
}

export const NO_GRID: Grid = {
  isOpen: false,
  size: 12,
  cells: [],
  marks: new Map(),
  painted: new Map(),
  isSkipping: false,
  isAsking: false,
  askedAbout: new Set(),
  last: null,
};

export type GridStep =
  | { readonly type: "gridSize"; readonly size: number }
  | { readonly type: "gridPainted"; readonly images: readonly number[]; readonly at_ms: number }
  | { readonly type: "gridMarked"; readonly image: number; readonly mark: Mark }
  | { readonly type: "gridSkipping" | "gridAsked" | "gridBack" }
  | { readonly type: "gridAnswered"; readonly answers: readonly GridAnswer[] };
