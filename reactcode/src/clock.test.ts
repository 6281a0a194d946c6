// The clock: what counts as shown, and the rate of answers.
import { expect, it } from "vitest";
import { advance, rate, STOPPED } from "./clock";

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

it("gives answers a second over the last minute of work", () => {
  const everySecond = Array.from({ length: 120 }, (_, second) => 1000 * second);
  expect(rate(everySecond, 120_000)).toBeCloseTo(1, 1);
  expect(rate([], 120_000)).toBe(0);
  expect(rate([0, 500, 1000, 1500, 2000], 2500)).toBe(2);
  expect(rate(everySecond, 300_000)).toBe(0);
});
