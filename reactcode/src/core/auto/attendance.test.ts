// How long AUTO goes on without a sign of a person.
import { expect, it } from "vitest";
import { Attendance } from "./attendance";

const LEAST_MS = 180_000;
const SECOND_MS = 1_000;

let now = 0;

function run(attendance: Attendance, time_ms: number): void {
  for (const end = now + time_ms; now < end; now += 100) attendance.frame(now, true);
  attendance.frame(now, true);
}

/** AUTO after so many finds, each after the same time. */
function finding(finds: number, gap_ms: number): Attendance {
  const attendance = new Attendance();
  for (let find = 0; find < finds; find += 1) {
    run(attendance, gap_ms);
    attendance.found();
  }
  return attendance;
}

const patience_s = (attendance: Attendance, least_ms = LEAST_MS) =>
  Math.round(attendance.patience_ms(least_ms, [], 1) / SECOND_MS);

it("waits three minutes where positives are frequent", () => {
  expect(patience_s(new Attendance())).toBe(180);
  expect(patience_s(finding(20, 2 * SECOND_MS))).toBe(180);
});

it.each([1, 2, 10, 25])("waits five times as long as it takes to find one, after %i finds", (finds) => {
  expect(patience_s(finding(finds, 67 * SECOND_MS))).toBe(335);
});

it("goes by what is found lately", () => {
  const attendance = finding(30, 2 * SECOND_MS);
  for (let find = 0; find < 10; find += 1) {
    run(attendance, 67 * SECOND_MS);
    attendance.found();
  }
  expect(patience_s(attendance)).toBe(335);
});

it("does not get more patient by nobody being there", () => {
  const attendance = finding(10, 67 * SECOND_MS);
  run(attendance, 300 * SECOND_MS);
  expect(Math.round(attendance.idle_ms / SECOND_MS)).toBe(300);
  expect(patience_s(attendance)).toBe(335);
});

it("gets more patient with somebody who watched and found nothing", () => {
  const attendance = new Attendance();
  run(attendance, 180 * SECOND_MS);
  attendance.sign();
  expect(attendance.idle_ms).toBe(0);
  expect(patience_s(attendance)).toBe(900);
});

it("goes by the probabilities of what comes, at the speed of AUTO", () => {
  const attendance = finding(20, 2 * SECOND_MS);
  expect(attendance.patience_ms(LEAST_MS, [0.01, null, 0.03], 1)).toBe(250 * SECOND_MS);
  expect(attendance.patience_ms(LEAST_MS, [0.01, null, 0.03], 0.5)).toBe(500 * SECOND_MS);
  expect(attendance.patience_ms(LEAST_MS, [0, 0], 10)).toBe(250 * SECOND_MS);
});

it("waits longer or not at all as the run is set", () => {
  expect(patience_s(new Attendance(), 600 * SECOND_MS)).toBe(600);
  expect(patience_s(new Attendance(), 0)).toBe(Infinity);
});

it("does not count the time in which AUTO stands, or the machine sleeps", () => {
  const attendance = new Attendance();
  run(attendance, SECOND_MS);
  attendance.frame(now, false);
  attendance.frame((now += 600 * SECOND_MS), true);
  expect(attendance.idle_ms).toBe(SECOND_MS);
  attendance.frame((now += 600 * SECOND_MS), true);
  expect(attendance.idle_ms).toBe(2 * SECOND_MS);
});
