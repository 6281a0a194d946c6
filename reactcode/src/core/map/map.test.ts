// The map without its view: reading points, seeing a part, drawing around some, and pixels.
import { describe, expect, it } from "vitest";
import {
  affine,
  ANSWER,
  around,
  BORDER,
  draw,
  drawing,
  inkOf,
  inksOf,
  inside,
  nearest,
  openOf,
  opinion,
  panned,
  placed,
  pointsOf,
  rectangle,
  selected,
  some,
  tally,
  UNKNOWN,
  type View,
  WHOLE,
  withAnswers,
  zoomed,
} from ".";

interface One {
  readonly at: readonly [x: number, y: number] | null;
  readonly answer?: number;
  readonly probability?: number;
}

/** Points as the server packs them. */
function packed(...images: readonly One[]) {
  const { length } = images;
  const bytes = new ArrayBuffer(8 * length);
  const view = new DataView(bytes);
  images.forEach(({ at, answer = 0, probability = UNKNOWN }, n) => {
    view.setInt16(2 * n, at === null ? -32768 : Math.round(at[0] * BORDER), true);
    view.setInt16(2 * (length + n), at === null ? -32768 : Math.round(at[1] * BORDER), true);
    [answer, probability, UNKNOWN, 3].forEach((value, field) =>
      view.setUint8(length * (4 + field) + n, value),
    );
  });
  return pointsOf(bytes);
}

const SIZE = { width: 200, height: 100 };
const PAPER = 0xffffffff;

function painted(
  points: ReturnType<typeof packed>,
  view: View,
  { radius = 0.5, step = 1, mask = null as Uint8Array | null } = {},
) {
  const pixels = new Uint32Array(SIZE.width * SIZE.height);
  const what = drawing(points, points.answer, inksOf("answer", false), inksOf("answer", false, true), mask);
  const drawn = draw(pixels, SIZE, view, what, { ground: PAPER, radius, step });
  return { drawn, at: (x: number, y: number) => pixels[y * SIZE.width + x], pixels };
}

describe("the points", () => {
  it("are read in the order in which the server packs them", () => {
    const points = packed({ at: [-1, 1], answer: 2, probability: 254 }, { at: null });
    expect([points.size, points.x[0], points.y[0], points.x[1]]).toEqual([2, -BORDER, BORDER, -32768]);
    expect([points.answer[0], points.probability[0], points.prior[0], points.cluster[1]]).toEqual([
      2, 254, 255, 3,
    ]);
    expect(placed(points)).toBe(1);
  });

  it("are refused when they are cut short", () => {
    expect(() => pointsOf(new ArrayBuffer(12))).toThrow("cut short");
  });

  it("are counted by answer, those without a place apart", () => {
    const points = packed(
      { at: [0, 0] },
      { at: [0, 0], answer: ANSWER.positive },
      { at: null, answer: ANSWER.positive },
    );
    expect(tally(points)).toEqual([1, 1, 0, 0, 0, 0]);
  });

  it("are open while no person has answered, whatever the model says", () => {
    const codes = [
      ANSWER.open,
      ANSWER.positive,
      ANSWER.negative,
      ANSWER.skipped,
      ANSWER.unreadable,
      ANSWER.model,
    ];
    const points = packed(...codes.map((answer) => ({ at: [0, 0] as const, answer })));
    const all = selected(points, () => true);
    expect(openOf(points, all)).toEqual([0, 5]);
    expect(openOf(withAnswers(points, [0], "positive"), all)).toEqual([5]);
    expect(points.answer[0]).toBe(ANSWER.open);
  });

  it("are never chosen without a place", () => {
    expect(selected(packed({ at: null }, { at: [0, 0] }), () => true).images).toBe(1);
  });

  it("say what the model calls them where it knows", () => {
    const points = packed({ at: [0, 0], probability: 200 }, { at: [0, 0], probability: 20 }, { at: [0, 0] });
    expect(opinion(points, [0, 1, 2])).toEqual({ known: 2, positive: 1 });
  });

  it("have a few examples from first to last", () => {
    expect(some([1, 2, 3], 4)).toEqual([1, 2, 3]);
    expect(
      some(
        Array.from({ length: 100 }, (_, n) => n),
        4,
      ),
    ).toEqual([12, 37, 62, 87]);
  });
});

describe("the view", () => {
  it("keeps what is under the mouse where it is while it grows", () => {
    const at = { x: 30, y: 70 };
    const before = affine(WHOLE, SIZE);
    const map = { x: (at.x - before.left) / before.factor, y: (at.y - before.top) / before.factor };
    const view = zoomed(WHOLE, 3, at, SIZE);
    const { factor, left, top } = affine(view, SIZE);
    expect(map.x * factor + left).toBeCloseTo(at.x);
    expect(map.y * factor + top).toBeCloseTo(at.y);
  });

  it("moves by as many pixels as the hand, and never off the map", () => {
    const moved = affine(panned({ ...WHOLE, zoom: 4 }, 10, -5, SIZE), SIZE);
    const { left, top } = affine({ ...WHOLE, zoom: 4 }, SIZE);
    expect([moved.left - left, moved.top - top]).toEqual([expect.closeTo(10), expect.closeTo(-5)]);
    expect(panned(WHOLE, 1e6, -1e6, SIZE)).toMatchObject({ x: -1, y: 1 });
  });

  it("shows a cluster in the middle", () => {
    expect(around({ x: 0.4, y: -0.2, radius: 0.1 })).toMatchObject({
      x: 0.4,
      y: -0.2,
      zoom: expect.closeTo(4.5) as number,
    });
  });

  it("finds the nearest image, and none that is too far", () => {
    const points = packed({ at: [0, 0] }, { at: [0.1, 0] }, { at: null });
    expect(nearest(points, WHOLE, SIZE, { x: 103.5, y: 50 }, 8)).toBe(1);
    expect(nearest(points, WHOLE, SIZE, { x: 150, y: 50 }, 8)).toBeNull();
  });
});

describe("a line around points", () => {
  it("holds what is inside, also of a shape with a bay and of one that crosses itself", () => {
    const bay = inside([
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 10 },
      { x: 5, y: 3 },
      { x: 0, y: 10 },
    ]);
    expect([bay(1, 5), bay(5, 2), bay(5, 6), bay(11, 1), bay(-1, 5)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    const bow = inside([
      { x: 0, y: 0 },
      { x: 10, y: 10 },
      { x: 10, y: 0 },
      { x: 0, y: 10 },
    ]);
    expect([bow(1, 5), bow(9, 5), bow(5, 1)]).toEqual([true, true, false]);
  });

  it("agrees with a slow count of crossings at thousands of places", () => {
    const outline = Array.from({ length: 60 }, (_, n) => {
      const radius = 40 + 30 * Math.sin(7 * n);
      return { x: 100 + radius * Math.cos(n / 9.55), y: 50 + radius * Math.sin(n / 9.55) };
    });
    const isIn = inside(outline);
    const slow = (x: number, y: number) =>
      outline.filter((from, n) => {
        const to = outline[(n + 1) % outline.length]!;
        return from.y > y !== to.y > y && x < from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x);
      }).length %
        2 ===
      1;
    let inner = 0;
    for (let n = 0; n < 5000; n++) {
      const [x, y] = [(n * 37.7) % 200, (n * 11.3) % 120];
      expect(isIn(x, y)).toBe(slow(x, y));
      if (isIn(x, y)) inner += 1;
    }
    expect(inner).toBeGreaterThan(200);
  });

  it("may be drawn from any corner of a rectangle", () => {
    const isIn = inside(rectangle({ x: 9, y: 9 }, { x: 1, y: 1 }));
    expect([isIn(5, 5), isIn(0.5, 5)]).toEqual([true, false]);
  });

  it("holds nothing while it is a point or a line", () => {
    expect(inside([{ x: 1, y: 1 }])(1, 1)).toBe(false);
    expect(
      inside([
        { x: 0, y: 0 },
        { x: 2, y: 2 },
      ])(1, 1),
    ).toBe(false);
  });
});

describe("the pixels", () => {
  it("show each point in its colour, and the ground elsewhere", () => {
    const { drawn, at, pixels } = painted(
      packed({ at: [0, 0], answer: ANSWER.positive }, { at: null }),
      WHOLE,
    );
    expect(drawn).toBe(1);
    expect(at(100, 50)).toBe(inksOf("answer", false).pixels[ANSWER.positive]);
    expect(pixels.filter((pixel) => pixel !== PAPER)).toHaveLength(1);
  });

  it("show an answer over open images at the same place, in whatever order they come", () => {
    const open = { at: [0, 0] as const };
    const positive = { at: [0, 0] as const, answer: ANSWER.positive };
    const ink = inksOf("answer", false).pixels[ANSWER.positive];
    expect(painted(packed(open, positive), WHOLE).at(100, 50)).toBe(ink);
    expect(painted(packed(positive, open), WHOLE).at(100, 50)).toBe(ink);
  });

  it("fade what is not chosen while something is", () => {
    const points = packed({ at: [-0.5, 0] }, { at: [0.5, 0] });
    const { at } = painted(points, WHOLE, { mask: Uint8Array.of(1, 0) });
    const [chosen, other] = [at(76, 50), at(123, 50)];
    expect(chosen).toBe(inksOf("answer", false).pixels[0]);
    expect(other).toBe(inksOf("answer", false, true).pixels[0]);
  });

  it("keep off the edge, so that a large point never writes into the next row", () => {
    const edge = { at: [2.127, 0] as const }; // as near to the right edge as a place can come
    const { drawn } = painted(
      packed({ at: [edge.at[0] / 2.127, 0] }),
      { x: -1.11, y: 0, zoom: 1 },
      { radius: 6 },
    );
    expect(drawn).toBe(0);
  });

  it("leave out some of very many while the map moves, but never the few that matter", () => {
    const many = Array.from({ length: 30_000 }, (_, n) => ({
      at: [(n % 300) / 150 - 1, Math.floor(n / 300) / 50 - 1] as const,
      answer: n === 77 ? ANSWER.positive : ANSWER.open,
    }));
    const whole = painted(packed(...many), WHOLE);
    const coarse = painted(packed(...many), WHOLE, { step: 10 });
    expect(coarse.drawn).toBeLessThan(whole.drawn / 8);
    expect(coarse.pixels.some((pixel) => pixel === inksOf("answer", false).pixels[ANSWER.positive])).toBe(
      true,
    );
  });

  it("are darker, and on a dark ground brighter, the more probable an image is", () => {
    const light = (value: number, isDark: boolean) => {
      const [red, green, blue] = inkOf("probability", value, isDark);
      return 0.3 * red + 0.59 * green + 0.11 * blue;
    };
    const values = [0, 60, 127, 190, 254];
    for (const isDark of [false, true]) {
      const lights = values.map((value) => light(value, isDark));
      const sorted = lights.toSorted((one, other) => (isDark ? one - other : other - one));
      expect(lights).toEqual(sorted);
    }
  });
});
