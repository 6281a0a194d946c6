// The grid's reducer: which images stand where, what is marked, what an Enter answers, what comes back.
import { describe, expect, it } from "vitest";
import type { Label, Queued, Status } from "../../api";
import {
  againstModel,
  asksFirst,
  columnsFor,
  gridAnswers,
  isGridShown,
  markOf,
  nextGrid,
  nextSize,
  placesOf,
} from "./grid";
import { reduce } from "./session";
import { atWork, canAnswer, countsDown, keyOf, shownOf, START, type State, type Step } from "./state";

const STATUS = {
  classes: { positive: "hat", negative: "no hat" },
  left: 100,
  loops: {},
} as unknown as Status;

const queued = (image: number): Queued => ({ image, path: `${image}.jpg`, probability: null, version: "v" });
const after = (state: State, ...steps: Step[]) => steps.reduce(reduce, state);
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

function coming(images: readonly number[], asked_at = 0): Step {
  return { type: "queue", keep: 2, asked_at, answer: { images: images.map(queued), ranking: 1, left: 100 } };
}

const open: Step = { type: "panel", panel: "grid" };
const close: Step = { type: "panel", panel: null };
const size = (size: number): Step => ({ type: "gridSize", size });
const painted = (...images: number[]): Step => ({ type: "gridPainted", images, at_ms: 50 });
const mark = (image: number): Step => ({ type: "gridMarked", image, mark: "positive" });
const skip = (image: number): Step => ({ type: "gridMarked", image, mark: "skipped" });
const skipping: Step = { type: "gridSkipping" };
const answer = (state: State) => reduce(state, { type: "gridAnswered", answers: gridAnswers(state) });
const undone = (...taken: [number, Label][]): Step => {
  const images = taken.map(([image, label]) => ({ image, path: `${image}.jpg`, version: "v", label }));
  return { type: "undone", answer: { ...images.at(-1)!, images } };
};
const cells = (state: State) => state.grid.cells.map(({ image }) => image);
const answers = (state: State) => gridAnswers(state).map(({ queued, label }) => [queued.image, label]);

const opened = after(START, { type: "status", status: STATUS }, size(4), coming(range(1, 8)), open);

describe("the cells", () => {
  it("are the next images of the queue, and what follows is the next grid", () => {
    expect(cells(opened)).toEqual([1, 2, 3, 4]);
    expect(nextGrid(opened).map(({ image }) => image)).toEqual([5, 6, 7, 8]);
  });

  it("keep their places whatever a newer ranking says", () => {
    expect(cells(after(opened, coming([9, 3, 8, 7])))).toEqual([1, 2, 3, 4]);
    expect(nextGrid(after(opened, coming([9, 3, 8, 7]))).map(({ image }) => image)).toEqual([9, 8, 7]);
  });

  it("that are missing come when the server hands out more, in places that are there before", () => {
    const few = after(START, { type: "status", status: STATUS }, size(6), coming([1, 2]), open);
    expect(cells(few)).toEqual([1, 2]);
    expect(placesOf(few)).toBe(6);
    expect(cells(after(few, coming(range(3, 9))))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("are as few as images are left", () => {
    const few = after(START, { type: "status", status: { ...STATUS, left: 2 } }, coming([1, 2]), open);
    expect(placesOf(after(few, { type: "status", status: { ...STATUS, left: 2 } }))).toBe(2);
  });

  it("that cannot be read leave their place to the next image", () => {
    expect(cells(after(opened, { type: "unreadable", queued: queued(2) }))).toEqual([1, 5, 3, 4]);
  });

  it("become more or fewer without losing a mark", () => {
    const state = after(opened, painted(1, 4), mark(4), size(4), size(6));
    expect(cells(state)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(answers(state)).toEqual([
      [1, "negative"],
      [4, "positive"],
    ]);
  });
});

describe("a mark", () => {
  it("is given, taken away and changed", () => {
    const state = after(opened, painted(1, 2, 3));
    expect(answers(after(state, mark(1), mark(2), mark(2), mark(3), skip(3)))).toEqual([
      [1, "positive"],
      [2, "negative"],
      [3, "skipped"],
    ]);
  });

  it("is a skip once after S", () => {
    const state = after(opened, painted(1, 2), skipping, mark(1), mark(2));
    expect(answers(state)).toEqual([
      [1, "skipped"],
      [2, "positive"],
    ]);
    expect(after(opened, skipping, skipping).grid.isSkipping).toBe(false);
  });

  it("is not given to what is not painted", () => {
    expect(after(opened, mark(1)).grid.marks.size).toBe(0);
  });

  it("outlives a look at something else, and leaving the grid", () => {
    const state = after(opened, painted(1), mark(1), close, open, painted(1));
    expect(answers(state)).toEqual([[1, "positive"]]);
  });
});

describe("an answer to all", () => {
  const state = answer(after(opened, painted(1, 2, 4), mark(2), skip(4)));

  it("leaves out what nobody has seen; that comes first in the next grid", () => {
    expect(cells(state)).toEqual([3, 5, 6, 7]);
    expect(gridAnswers(state)).toEqual([]);
  });

  it("is in the past, the last one newest, as of the grid", () => {
    expect(state.past.map(({ image, label, source }) => [image, label, source])).toEqual([
      [4, "skipped", "grid"],
      [2, "positive", "grid"],
      [1, "negative", "grid"],
    ]);
    expect(state.grid.last).toEqual({ positive: 1, negative: 1, skipped: 1 });
  });

  it("keeps its images out of what the server hands out meanwhile", () => {
    expect(after(state, coming(range(1, 9))).queue.map(({ image }) => image)).toEqual([3, 5, 6, 7, 8, 9]);
  });

  it("of a picture painted later counts from then", () => {
    const late = after(opened, painted(1), { type: "gridPainted", images: [1, 2], at_ms: 90 });
    expect(gridAnswers(late).map(({ painted_ms }) => painted_ms)).toEqual([50, 90]);
  });
});

/** A grid on the screen in which the model gives the images 1, 2, ... these probabilities. */
function scored(probabilities: readonly (number | null)[], ...before: Step[]): State {
  const images = probabilities.map((probability, n) => ({ ...queued(n + 1), probability }));
  const more = [...images, queued(98), queued(99)]; // what comes after them, without a word of the model
  const answer = { images: more, ranking: 1, left: 100 };
  const queue: Step = { type: "queue", keep: 2, asked_at: 0, answer };
  const start = after(
    START,
    { type: "status", status: STATUS },
    size(probabilities.length),
    ...before,
    queue,
  );
  return after(start, open, painted(...images.map(({ image }) => image)));
}

const marked = (state: State) =>
  state.grid.cells.flatMap((cell) => (markOf(state, cell) === "positive" ? [cell.image] : []));
const blindly: Step = { type: "blind", blind: true };
const asked: Step = { type: "gridAsked" };

describe("what the model marks", () => {
  const state = scored([0.97, 0.5, 0.49, null]);

  it("is what it calls more probable than not; what was drawn at random it says nothing of", () => {
    expect(marked(state)).toEqual([1, 2]);
    expect(answers(state).map(([, label]) => label)).toEqual([
      "positive",
      "positive",
      "negative",
      "negative",
    ]);
  });

  it("is taken away, and given back, as a mark of one's own is", () => {
    expect(marked(after(state, mark(1)))).toEqual([2]);
    expect(marked(after(state, mark(1), mark(1)))).toEqual([1, 2]);
    expect(answers(after(state, skip(1)))[0]).toEqual([1, "skipped"]);
    expect(marked(after(state, skip(1), skip(1)))).toEqual([2]);
  });

  it("is nothing while probabilities are hidden; what the person said stays", () => {
    expect(marked(scored([0.97, 0.5, 0.49, null], blindly))).toEqual([]);
    expect(marked(after(state, mark(4), mark(1), blindly))).toEqual([4]);
    expect(marked(after(state, mark(4), mark(1), blindly, { type: "blind", blind: false }))).toEqual([2, 4]);
  });

  it("does not change what is taken back", () => {
    const before = answer(after(state, mark(1)));
    const back = after(
      before,
      undone([1, "negative"], [2, "positive"], [3, "negative"], [4, "negative"]),
      painted(1, 2, 3, 4),
    );
    expect(marked(back)).toEqual([2]);
  });
});

describe("a page that goes against the model", () => {
  const high = [0.98, 0.97, 0.96, 0.97, 0.98, 0.96, 0.97, 0.98, 0.96, 0.97, 0.98, 0.96];
  const low = high.map((probability) => 1 - probability);
  const marking = (...images: number[]) => images.map(mark);

  it.each<[string, readonly (number | null)[], readonly number[], boolean]>([
    ["all as the model says", high, [], false],
    ["none of twelve sure ones", high, range(1, 12), true],
    ["three of twelve sure ones", high, [1, 5, 9], true],
    ["one of twelve sure ones, as one page in three has it", high, [1], false],
    ["three found where none is expected", low, [1, 5, 9], true],
    ["one found among many that might have been one", low, [1], false],
    ["one found where hardly any page has one", low.map(() => 0.002), [1], true],
    ["the only one it is sure of", [0.95, 0.5, 0.6, 0.4], [1], true],
    ["the only one it calls impossible", [0.05, 0.5, 0.6, 0.4], [1], true],
    ["one that it is not so sure of", [0.9, 0.5, 0.6, 0.4], [1], false],
    ["what it does not know", [0.5, 0.6, 0.4, 0.7], [1, 2, 3, 4], false],
    ["what was drawn at random", [null, null, null, null], [1, 2, 3], false],
  ])("%s", (_, probabilities, images, isAsked) => {
    expect(asksFirst(after(scored(probabilities), ...marking(...images)))).toBe(isAsked);
  });

  it("is asked about once, whatever is changed meanwhile, and also when it is taken back", () => {
    const wrong = after(scored(high), ...marking(...range(1, 12)));
    expect(againstModel(wrong)).toHaveLength(12);
    const asking = after(wrong, asked);
    expect([asking.grid.isAsking, asksFirst(asking)]).toEqual([true, false]);
    const back = after(asking, { type: "gridBack" });
    expect([back.grid.isAsking, asksFirst(back)]).toEqual([false, false]);
    const changed = after(asking, mark(1));
    expect([changed.grid.isAsking, asksFirst(changed)]).toEqual([false, false]);
    const taken = range(1, 12).map((image): [number, Label] => [image, "negative"]);
    const again = after(answer(asking), undone(...taken), painted(...range(1, 12)));
    expect([cells(again), againstModel(again).length, asksFirst(again)]).toEqual([range(1, 12), 12, false]);
  });

  it("is not asked about while probabilities are hidden", () => {
    const state = scored(high, blindly);
    expect([againstModel(state), asksFirst(state)]).toEqual([[], false]);
    const asking = after(scored(high), ...marking(...range(1, 12)), asked);
    expect(after(asking, blindly).grid.isAsking).toBe(false);
  });

  it("is not asked about any more once the grid is left", () => {
    const asking = after(scored(high), ...marking(...range(1, 12)), asked);
    expect(after(asking, close).grid.isAsking).toBe(false);
  });
});

describe("undo", () => {
  it("shows the whole last grid again with its marks", () => {
    const before = answer(after(opened, painted(1, 2, 3, 4), mark(2), skip(4)));
    const state = after(
      before,
      undone([1, "negative"], [2, "positive"], [3, "negative"], [4, "skipped"]),
      painted(1, 2, 3, 4),
    );
    expect(cells(state)).toEqual([1, 2, 3, 4]);
    expect(answers(state).map(([, label]) => label)).toEqual(["negative", "positive", "negative", "skipped"]);
    expect(state.past).toEqual([]);
    expect(cells(answer(state))).toEqual([5, 6, 7, 8]);
  });

  it("of a larger grid than now shows all of it", () => {
    const large = answer(after(opened, size(6), painted(...range(1, 6))));
    const taken = range(1, 6).map((image): [number, Label] => [image, "negative"]);
    expect(cells(after(large, size(4), undone(...taken)))).toEqual(range(1, 6));
  });

  it("of a single answer puts its image into the first cell and leaves the others where they stood", () => {
    const state = after(opened, painted(1, 2), mark(2), undone([99, "negative"]));
    expect(cells(state)).toEqual([99, 1, 2, 3]);
    expect(answers(state)).toEqual([
      [1, "negative"],
      [2, "positive"],
    ]);
  });
});

describe("the panel", () => {
  it("stands while AUTO's clock does, and a person in it is at work", () => {
    expect(isGridShown(opened)).toBe(true);
    expect(countsDown(after(opened, { type: "auto" }))).toBe(false);
    expect(atWork(opened)).toBe(true);
  });

  it("ends a pause", () => {
    const single = after(START, { type: "status", status: STATUS }, coming([1, 2]), { type: "pause" });
    expect(after(single, open).paused).toBe(false);
  });

  it("gives no answer to the single image behind it", () => {
    const single = after(START, { type: "status", status: STATUS }, coming([1, 2]));
    expect(canAnswer(after(single, { type: "painted", key: keyOf(queued(1)) }, open))).toBe(false);
  });

  it("is back when another panel before it is closed", () => {
    const state = after(opened, painted(1), { type: "panel", panel: "help" });
    expect(state.panel).toBe("help");
    expect(after(state, close)).toMatchObject({ panel: "grid", grid: { cells: opened.grid.cells } });
  });

  it("makes room for an image of the past, and is back afterwards", () => {
    const state = answer(after(opened, painted(1, 2, 3, 4)));
    const visiting = after(state, { type: "visit", image: 2 });
    expect(shownOf(visiting)?.image).toBe(2);
    expect([isGridShown(visiting), visiting.panel]).toEqual([false, null]);
    expect(after(visiting, { type: "walk", direction: "queue" }).panel).toBe("grid");
  });

  it("leaves out what AUTO shows again, and makes way for it when nothing else is left", () => {
    const again: Step = { type: "again", images: [queued(50)], how: "inPeace" };
    const few = after(START, { type: "status", status: STATUS }, size(4), coming([1, 2]), again, open);
    expect(cells(few)).toEqual([1, 2]);
    const state = answer(after(few, painted(1, 2)));
    expect([isGridShown(state), state.panel, shownOf(state)?.image]).toEqual([false, null, 50]);
  });

  it("leaves the queue as it is", () => {
    const state = after(opened, close);
    expect([state.panel, state.grid.isOpen, shownOf(state)?.image]).toEqual([null, false, 1]);
    expect(state.queue).toEqual(opened.queue);
  });
});

describe("the layout", () => {
  it("makes the pictures as large as they can be", () => {
    expect(columnsFor(12, 382, 540)).toBe(3);
    expect(columnsFor(12, 1216, 680)).toBe(4);
    expect(columnsFor(12, 1216, 680, [0.6])).toBe(6);
    expect(columnsFor(1, 300, 300)).toBe(1);
  });

  it("steps through the sizes and stops at both ends", () => {
    expect([nextSize(12, 1), nextSize(12, -1), nextSize(20, 1), nextSize(4, -1)]).toEqual([16, 9, 20, 4]);
  });
});
