// Where things stand in a plot.
import { expect, it } from "vitest";
import { dots, line, PAPER, placed, roof, ticks } from "./plot";

it("ends an axis at a tick that nothing passes", () => {
  expect(roof(238, 4)).toBe(300);
  expect(roof(100, 4)).toBe(100);
  expect(roof(0, 4)).toBe(1);
});

it("puts ticks at round numbers, whole ones, from zero to the end", () => {
  expect(ticks(238, 5)).toEqual([0, 50, 100, 150, 200]);
  expect(ticks(100, 4)).toEqual([0, 50, 100]);
  expect(ticks(1, 4)).toEqual([0, 1]);
  expect(ticks(0, 4)).toEqual([0]);
});

it("has its origin at the bottom left, and the ends of the axes inside the paper", () => {
  const at = placed(10, 5);
  expect(at(0, 0)).toEqual([PAPER.left, PAPER.height - PAPER.bottom]);
  expect(at(10, 5)).toEqual([PAPER.width - PAPER.right, PAPER.top]);
});

it("draws a line through points, and a dot at each", () => {
  const points = [
    [1, 2],
    [3, 4],
  ] as const;
  expect(line(points)).toBe("M1 2L3 4");
  expect(dots(points)).toBe("M1 2h0M3 4h0");
});
