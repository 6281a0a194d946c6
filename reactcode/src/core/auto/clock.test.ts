// The clock: what counts as shown, and the middle of several times.
import { expect, it } from "vitest";
import { advance, median, STOPPED } from "./clock";

it("counts only while it runs", () => {
  let clock = advance(STOPPED, 1000, true);
  clock = advance(clock, 1400, false);
  clock = advance(clock, 9000, true);
  clock = advance(clock, 9100, true);
  expect(clock.spent_ms).toBe(500);
});

it("ignores the time in which the page stood still", () => {
  const clock = advance(advance(STOPPED, 0, true), 3_600_000, true, 100);
  expect(clock.spent_ms).toBe(100);
});

it("never runs backwards", () => {
  expect(advance(advance(STOPPED, 50, true), 40, true).spent_ms).toBe(0);
});

it("knows the middle one of some times", () => {
  expect([median([]), median([3]), median([9, 1]), median([100, 1, 2]), median([4, 1, 900, 2])]).toEqual([
    null,
    3,
    5,
    2,
    3,
  ]);
});
