// Late presses: whose press it was, how the delay is learnt, and what a person of known delay gets out of it.
import { describe, expect, it } from "vitest";
import { ASSUMED, LatePresses, type Reaction } from "./late";

/** Numbers from 0 to 1, the same in every run (Lehmer). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function shown(onsets_ms: readonly number[], probability: number | null = null): LatePresses<number> {
  const late = new LatePresses<number>();
  for (const [image, onset_ms] of onsets_ms.entries()) late.appeared({ image, onset_ms, probability });
  return late;
}

describe("a press", () => {
  it("is for the image on the screen when it has been there as long as a person needs", () => {
    expect(shown([0, 1000, 2000]).positive(2450)).toMatchObject({ image: 2, isCertain: true, back: 0 });
  });

  it("right after a change is for the image before", () => {
    expect(shown([0, 1000, 2000]).positive(2080)).toMatchObject({ image: 1, back: 1 });
  });

  it("between two images of a fast series is doubtful: both are to be shown again, the likelier first", () => {
    const verdict = shown([0, 200, 400, 600]).positive(760);
    expect(verdict).toMatchObject({ image: 2, isCertain: false, back: 1 });
    expect(verdict.doubtful.slice(0, 2)).toEqual([2, 1]);
  });

  it("is for the one that the model finds probable", () => {
    const late = new LatePresses<string>();
    late.appeared({ image: "sure", onset_ms: 0, probability: 0.95 });
    late.appeared({ image: "no", onset_ms: 200, probability: 0.005 });
    expect(late.positive(550).image).toBe("sure");
  });

  it("leaves an image in doubt that the model finds improbable, when the time speaks for it", () => {
    const late = new LatePresses<string>();
    late.appeared({ image: "surprise", onset_ms: 0, probability: 0.001 });
    late.appeared({ image: "likely", onset_ms: 200, probability: 0.9 });
    expect(late.positive(480).doubtful).toContain("surprise");
  });

  it("is never for an image that has had its press, nor for one that came too late to be seen", () => {
    const late = shown([0, 200]);
    expect(late.other(380)?.image).toBe(0);
    expect(late.positive(560)).toMatchObject({ image: 1 });
    expect(shown([0, 200]).positive(250).image).toBe(0);
  });

  it("without any image is for none", () => {
    expect(new LatePresses<number>().positive(100).image).toBeNull();
  });
});

it("a press in peace settles the doubt, and releases the others", () => {
  const late = shown([0, 200, 400]);
  const { doubtful } = late.positive(540);
  expect(doubtful.slice(0, 2)).toEqual([0, 1]);
  late.appeared({ image: 0, onset_ms: 1000, probability: null });
  late.passed(0);
  late.appeared({ image: 1, onset_ms: 1750, probability: null });
  const verdict = late.positive(2200);
  expect(verdict).toMatchObject({ image: 1, isCertain: true, released: [0, 2] });
  expect(late.isDoubtful(0)).toBe(false);
});

it("learns the delay of a slower person", () => {
  const late = new LatePresses<number>();
  for (let image = 0; image < 60; image += 1) {
    late.appeared({ image, onset_ms: 2000 * image, probability: null });
    late.positive(2000 * image + 700 + (image % 2 ? 60 : -60));
  }
  expect(late.reaction.mean_ms).toBeGreaterThan(640);
  expect(late.reaction.sd_ms).toBeLessThan(150);
});

// --- a simulated person ------------------------------------------------------------------------------------------------

interface Person {
  readonly mean_ms: number;
  readonly sd_ms: number;
}

/** Recall of positives, share of false ones, and looks in peace for each positive, after a series at 5 images a second. */
function simulate(person: Person, seed: number, images = 2000, every_ms = 217, prevalence = 0.05) {
  const random = seeded(seed);
  const gaussian = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
  const truth = Array.from({ length: images }, () => random() < prevalence);
  const late = new LatePresses<number>();
  const positive = new Set<number>();
  let again: number[] = [];
  const presses: number[] = [];
  let now = 0;
  let looks = 0;
  for (let next = 0; next < images || again.length > 0 || presses.length > 0;) {
    const inPeace = again.shift();
    const image = inPeace ?? (next < images ? next++ : null);
    if (inPeace !== undefined) looks += 1;
    let end = now + (inPeace === undefined ? every_ms : Math.max(every_ms, late.peace_ms));
    if (image !== null) {
      late.appeared({ image, onset_ms: now, probability: null });
      if (truth[image]) presses.push(now + Math.max(150, person.mean_ms + person.sd_ms * gaussian()));
    }
    presses.sort((a, b) => a - b);
    while ((presses[0] ?? end) < end) {
      const at = presses.shift() ?? 0;
      const verdict = late.positive(at);
      for (const other of verdict.released) positive.delete(other);
      again = again.filter((other) => !verdict.released.includes(other) && !verdict.doubtful.includes(other));
      again.unshift(...verdict.doubtful);
      if (verdict.image !== null) positive.add(verdict.image);
      if (verdict.isCertain && verdict.image === image && inPeace !== undefined) end = at;
    }
    if (inPeace !== undefined && late.isDoubtful(inPeace)) late.passed(inPeace);
    now = end;
  }
  const right = [...positive].filter((image) => truth[image]).length;
  const all = truth.filter(Boolean).length;
  return { recall: right / all, wrong: (positive.size - right) / all, looks: looks / all };
}

function mean(person: Person) {
  const runs = [1, 2, 3, 4, 5].map((seed) => simulate(person, seed));
  const of = (part: keyof (typeof runs)[number]) =>
    runs.reduce((sum, run) => sum + run[part], 0) / runs.length;
  return { recall: of("recall"), wrong: of("wrong"), looks: of("looks") };
}

it("at 5 images a second and 5 % positives gives at least 95 % of the positives to their images", () => {
  const { recall, wrong, looks } = mean({ mean_ms: 450, sd_ms: 100 });
  expect(recall).toBeGreaterThanOrEqual(0.95);
  expect(wrong).toBeLessThan(0.05);
  expect(looks).toBeLessThan(2.5);
});

it("does so for faster and slower people too", () => {
  for (const person of [
    { mean_ms: 350, sd_ms: 80 },
    { mean_ms: 600, sd_ms: 120 },
  ])
    expect(mean(person).recall).toBeGreaterThanOrEqual(0.93);
});

it("assumes of a person what is usual, until it knows better", () => {
  const usual: Reaction = new LatePresses().reaction;
  expect(usual).toEqual(ASSUMED);
});
