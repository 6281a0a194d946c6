// The clock of work: it runs while somebody is there.
import { expect, it } from "vitest";
import { Pace } from "./pace";
import { START } from "./state";

const MINUTE_MS = 60_000;

it("counts time at work until a minute after the last sign of a person", () => {
  const pace = new Pace();
  pace.follow(START, START, 0);
  expect(pace.worked_ms(MINUTE_MS / 2)).toBe(MINUTE_MS / 2);
  expect(pace.worked_ms(9 * MINUTE_MS)).toBe(MINUTE_MS);
});

it("goes on with the next sign, from there", () => {
  const pace = new Pace();
  pace.follow(START, START, 0);
  pace.follow(START, START, 5 * MINUTE_MS); // the server said something; nobody was there
  pace.sign(9 * MINUTE_MS);
  expect(pace.worked_ms(9.5 * MINUTE_MS)).toBe(1.5 * MINUTE_MS);
});

it("stands while a panel is open", () => {
  const pace = new Pace();
  const looking = { ...START, panel: "progress" } as const;
  pace.follow(START, START, 0);
  pace.follow(looking, START, 1000);
  pace.sign(2000);
  pace.follow(START, looking, 5000);
  expect(pace.worked_ms(6000)).toBe(2000);
});
