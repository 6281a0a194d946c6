// Near duplicates on the page: one question, one answer, one entry of the past; split, they are asked one by one.
import { describe, expect, it } from "vitest";
import type { PastAnswer, Queued } from "../../api";
import { isShort } from "../engine/asking";
import { alikeOf, copiesAtEnd, folded, imagesWaiting } from "./alike";
import { placesOf } from "./grid";
import { reduce } from "./session";
import { START, type State, type Step } from "./state";

const counts = { positives: 0, negatives: 0, skipped: 0, left: 6 };

function queued(image: number, ...alike: number[]): Queued {
  return { image, path: `${image}.jpg`, probability: null, version: "v", alike };
}

function coming(asked_at: number, ...images: Queued[]): Step {
  return { type: "queue", keep: 2, asked_at, answer: { images, ranking: 1, left: 6 } };
}

function after(...steps: Step[]): State {
  return steps.reduce(reduce, START);
}

const images = (state: State) => state.queue.map(({ image }) => image);
const answered: Step = { type: "answered", label: "positive", source: "key" };

function past(image: number, copy_of: number | null = null): PastAnswer {
  const rest = { time: "", shown_ms: 1, probability: null, held_out: null, repeat: false };
  return { image, path: `${image}.jpg`, version: "v", label: "positive", source: "key", copy_of, ...rest };
}

describe("an answer for several images", () => {
  it("closes all of them, also where one was asked alone before they were known to be alike", () => {
    const state = after(coming(0, queued(3, 1, 2), queued(2), queued(4)), answered);
    expect(images(state)).toEqual([4]);
    expect(state.past.map((entry) => [entry.image, entry.alike])).toEqual([[3, [1, 2]]]);
    expect([1, 2, 3].map((image) => state.answered.get(image))).toEqual([Infinity, Infinity, Infinity]);
    expect(imagesWaiting(state)).toBe(3);
    expect(images(reduce(state, coming(0, queued(1), queued(5))))).toEqual([4, 5]);
  });

  it("is taken back as one question, which comes with what is alike by then", () => {
    const answer = { image: 3, path: "3.jpg", label: "positive", version: "v", alike: [1] } as const;
    const state = after(coming(0, queued(3, 1, 2), queued(4)), answered, {
      type: "undone",
      answer: { ...answer, images: [answer] },
    });
    expect(state.queue[0]).toMatchObject({ image: 3, alike: [1] });
    expect(state.past).toEqual([]);
    expect(state.answered.size).toBe(0);
    expect(state.note?.text).toBe("Taken back: positive");
  });

  it("counts as many images as it is for", () => {
    const state = after(
      { type: "stored", images: [], counts },
      coming(0, queued(3, 1, 2), queued(4, 5), queued(6)),
    );
    expect(isShort(state, 6)).toBe(false);
    expect(isShort(state, 7)).toBe(true);
    expect(placesOf({ ...state, grid: { ...state.grid, cells: [] } })).toBeLessThanOrEqual(12);
  });

  it("does not ask again what the question on the screen is for already", () => {
    const state = after(coming(0, queued(3, 1, 2)), coming(0, queued(2), queued(4)));
    expect(images(state)).toEqual([3, 4]);
  });
});

describe("a split", () => {
  it("leaves each image alone, in the queue and in the past", () => {
    const first = after(coming(0, queued(3, 1, 2), queued(5, 6)));
    expect(reduce(first, { type: "split", image: 3 }).queue.map(alikeOf)).toEqual([[], [6]]);
    const later = reduce(reduce(first, answered), { type: "split", image: 1 });
    expect(later.past.map((entry) => alikeOf(entry))).toEqual([[]]);
  });
});

describe("a split that is taken back", () => {
  const images = (...numbers: number[]) =>
    numbers.map((image) => ({ image, path: `${image}.jpg`, version: "v" }));

  it("is one question again, at once, in place of all that was asked alone", () => {
    const alone = after(
      coming(0, queued(5), { ...queued(3), probability: 0.7 }, queued(1), queued(2), queued(4)),
    );
    const [shown] = images(3);
    const answer = { together: [1, 2, 3], images: [{ ...shown!, alike: [1, 2] }] };
    const state = reduce(reduce(alone, { type: "undoing" }), { type: "undone", answer });
    expect(state.queue.map(({ image }) => image)).toEqual([3, 5, 4]);
    expect(state.queue[0]).toMatchObject({ alike: [1, 2], probability: 0.7 });
    expect(state.undoing).toBe(false);
    expect(state.note?.text).toContain("Together again");
  });

  it("takes the place of its cells in the grid, and changes no answer", () => {
    const first = after(coming(0, queued(3, 1, 2), queued(5)), answered, { type: "split", image: 3 });
    const state = reduce(first, { type: "undone", answer: { together: [1, 2, 3], images: [] } });
    expect(state.past).toMatchObject([{ image: 3, alike: [1, 2], label: "positive" }]);
    expect(state.queue.map(({ image }) => image)).toEqual([5]);
    const grid = after(
      { type: "panel", panel: "grid" },
      coming(0, queued(5), queued(1), queued(2), queued(4)),
    );
    const answer = { together: [1, 2], images: [{ ...images(2)[0]!, alike: [1] }] };
    expect(reduce(grid, { type: "undone", answer }).grid.cells.map(({ image }) => image)).toEqual([2, 5, 4]);
  });
});

describe("answers of the past", () => {
  it("are listed with their copies as one", () => {
    const list = [past(7), past(2, 3), past(1, 3), past(3), past(9, 8)];
    expect(folded(list).map((entry) => [entry.image, entry.alike])).toEqual([
      [7, []],
      [3, [2, 1]],
    ]);
    expect(copiesAtEnd(list)).toBe(1);
    expect(copiesAtEnd([past(9, 8)])).toBe(0);
  });
});
