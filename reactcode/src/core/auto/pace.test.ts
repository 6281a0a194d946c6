// The clock of work: it runs while somebody is there. And how long an answer takes.
import { describe, expect, it } from "vitest";
import { START, type State } from "../session";
import { kindOf, Pace, type Kind } from "./pace";

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

describe("how long an image takes", () => {
  const shown: State = { ...START, painted: "1@v" };

  /** Somebody who works in these steps; each ends with an answer, or with so many at once. */
  function worker(kind: Kind, ...took_ms: number[]) {
    const pace = new Pace();
    let now = 0;
    const answer = (time_ms: number, as: Kind = kind, images = 1) => {
      now += time_ms;
      pace.sign(now);
      pace.answered(now, as, images);
    };
    const read = (time_ms: number) => {
      const reading: State = { ...shown, panel: "progress" };
      pace.follow(reading, shown, now);
      for (const end = now + time_ms; now < end; now += 1000) pace.sign(now);
      pace.follow(shown, reading, now);
    };
    pace.follow(START, START, now);
    now = 40_000; // the first image has come late
    pace.follow(shown, START, now);
    for (const time_ms of took_ms) answer(time_ms);
    return { pace, answer, read, rest: (time_ms: number) => (now += time_ms) };
  }

  it("is the median of the answers, from the first image on", () => {
    expect(worker("single", 900, 900, 1000, 30_000, 30_000).pace.image_ms("single")).toBe(1000);
  });

  it("is not known below five answers: one image that was looked at for long is no pace", () => {
    expect(new Pace().image_ms("single")).toBeNull();
    const { pace, answer } = worker("single", 70_000, 1000, 1000, 1000);
    expect(pace.image_ms("single")).toBeNull();
    answer(1000);
    expect(pace.image_ms("single")).toBe(1000);
  });

  it("is moved neither by reading a panel nor by an hour away", () => {
    const { pace, answer, read, rest } = worker("single", ...Array<number>(10).fill(1000));
    read(600_000);
    expect(pace.image_ms("single")).toBe(1000);
    rest(3_600_000);
    expect(pace.image_ms("single")).toBe(1000);
    answer(1000);
    expect(pace.image_ms("single")).toBe(1000);
  });

  it("follows the last fifty", () => {
    const { pace } = worker("single", ...Array<number>(200).fill(5000), ...Array<number>(26).fill(1000));
    expect(pace.image_ms("single")).toBe(1000);
  });

  it("is that of each way to answer; of one with fewer than five answers, that of the last one with five", () => {
    const { pace, answer } = worker("single", ...Array<number>(5).fill(2000));
    answer(6000, "grid", 12);
    expect(pace.image_ms("grid")).toBe(2000);
    for (let page = 1; page < 5; page += 1) answer(6000, "grid", 12);
    expect([pace.image_ms("single"), pace.image_ms("grid"), pace.image_ms("auto")]).toEqual([2000, 500, 500]);
    for (let image = 0; image < 5; image += 1) answer(1000, "auto");
    expect(pace.image_ms("auto")).toBe(1000);
    expect([pace.interval_ms("grid"), new Pace().interval_ms("grid")]).toEqual([500, Infinity]);
  });

  it("is of the way in which the next answer is given", () => {
    expect(kindOf(START)).toBe("single");
    expect(kindOf({ ...START, auto: true })).toBe("auto");
    expect(kindOf({ ...START, auto: true, grid: { ...START.grid, isOpen: true } })).toBe("grid");
  });
});
