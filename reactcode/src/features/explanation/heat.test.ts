// What a map says, as colours and as words.
import { describe, expect, it } from "vitest";
import { colourOf, sentenceOf, valueAt } from "./heat";

const map = (height: number, width: number, values: readonly number[]) => ({ height, width, values });

describe("a map over a picture", () => {
  it("says at the middle of a place what the place says, and changes smoothly between", () => {
    const two = map(2, 2, [1, 0, -1, 0.5]);
    expect(valueAt(two, 0.25, 0.25)).toBeCloseTo(1);
    expect(valueAt(two, 0.75, 0.25)).toBeCloseTo(0);
    expect(valueAt(two, 0.25, 0.75)).toBeCloseTo(-1);
    expect(valueAt(two, 0.75, 0.75)).toBeCloseTo(0.5);
    expect(valueAt(two, 0.5, 0.25)).toBeCloseTo(0.5);
    expect(valueAt(two, 0.4, 0.25)).toBeGreaterThan(valueAt(two, 0.6, 0.25));
  });

  it("goes on to the edge as the outermost place says", () => {
    const row = map(1, 3, [1, 0, -1]);
    expect([valueAt(row, 0, 0), valueAt(row, 1, 1)]).toEqual([1, -1]);
  });

  it("is orange for, blue against, and not there where little is said", () => {
    const [red, , blue, seen] = colourOf(1);
    expect(red).toBeGreaterThan(blue);
    const against = colourOf(-1);
    expect(against[2]).toBeGreaterThan(against[0]);
    expect(against[3]).toBe(seen);
    expect(seen).toBeLessThan(255);
    expect([colourOf(0)[3], colourOf(0.1)[3], colourOf(-0.1)[3]]).toEqual([0, 0, 0]);
    expect(colourOf(0.5)[3]).toBeLessThan(seen);
  });
});

describe("the words for a map", () => {
  const nine = (place: number, against: number) =>
    map(
      3,
      3,
      Array.from({ length: 9 }, (_, at) => (at === place ? 1 : at === against ? -0.5 : 0)),
    );

  it.each([
    [0, 8, "Strongest for “hat”: the upper left. Strongest against it: the lower right."],
    [4, 1, "Strongest for “hat”: the middle. Strongest against it: the upper part."],
    [5, 3, "Strongest for “hat”: the right side. Strongest against it: the left side."],
    [7, -1, "Strongest for “hat”: the lower part."],
  ])("name where it is most", (place, against, sentence) => {
    expect(sentenceOf(nine(place, against), "hat")).toBe(sentence);
  });

  it("say so where nothing is more than the rest", () => {
    expect(sentenceOf(map(1, 2, [0, 0]), "hat")).toBe("No part of the image counts more than another.");
    expect(sentenceOf(map(1, 1, [0.5]), "hat")).toBe("Strongest for “hat”: the middle.");
  });
});
