// What hands mean, told by their traces alone.
import { describe, expect, it } from "vitest";
import { Gestures, type Gesture, type Mode, type Touch } from "./gesture";

const WIDTH = 360;

type Trace = readonly (readonly [x: number, y: number, time_ms: number])[];

function touch(x: number, y: number, time_ms: number, id = 1): Touch {
  return { id, x, y, time_ms };
}

/** One finger along a trace: down at the first place, up at the last. */
function along(trace: Trace, mode: Mode = "swipe", gestures = new Gestures()): readonly Gesture[] {
  const touches = trace.map(([x, y, time_ms]) => touch(x, y, time_ms));
  return touches.flatMap((at, place) => {
    if (place === 0) return gestures.down(at, mode, WIDTH);
    return place < touches.length - 1 ? gestures.move(at) : gestures.up(at);
  });
}

const last = (gestures: readonly Gesture[]) => gestures.at(-1);

describe("a swipe", () => {
  it.each([
    ["right", 130, 10],
    ["left", -130, -20],
    ["up", 15, -130],
  ] as const)("%s counts when it is long, however slow", (direction, x, y) => {
    const gestures = along([
      [0, 0, 0],
      [x / 3, y / 3, 300],
      [x, y, 900],
      [x, y, 1500],
    ]);
    expect(last(gestures)).toEqual({ type: "swipe", direction });
  });

  it("counts when it is short and quick", () => {
    const gestures = along([
      [0, 0, 0],
      [20, 2, 30],
      [45, 3, 60],
      [45, 3, 62],
    ]);
    expect(last(gestures)).toEqual({ type: "swipe", direction: "right" });
  });

  it("is let go when it is short and slow, or flicked back", () => {
    const short: Trace = [
      [0, 0, 0],
      [30, 0, 300],
      [50, 0, 600],
      [50, 0, 700],
    ];
    const back: Trace = [
      [0, 0, 0],
      [160, 0, 300],
      [115, 0, 340],
      [115, 0, 342],
    ];
    for (const trace of [short, back]) expect(last(along(trace))).toEqual({ type: "letGo" });
  });

  it("tells on its way how far it is, and nothing while the hand only trembles", () => {
    const gestures = along([
      [0, 0, 0],
      [4, 2, 20],
      [-54, 9, 200],
      [-54, 9, 900],
    ]);
    expect(gestures[0]).toEqual({ type: "pull", direction: "left", by: { x: -54, y: 0 }, part: 0.5 });
  });

  it("down means nothing", () => {
    const gestures = along([
      [0, 0, 0],
      [5, 80, 50],
      [100, 200, 100],
      [200, 200, 120],
    ]);
    expect(gestures).toEqual([]);
  });

  it("is given up when a second finger comes, and when the browser takes the finger", () => {
    for (const end of [
      (gestures: Gestures) => gestures.down(touch(0, 50, 300, 2), "swipe", WIDTH),
      (gestures: Gestures) => gestures.cancel(1),
    ]) {
      const gestures = new Gestures();
      gestures.down(touch(0, 0, 0), "swipe", WIDTH);
      gestures.move(touch(150, 0, 100));
      expect(end(gestures)).toEqual([{ type: "letGo" }]);
      expect(gestures.up(touch(200, 0, 350))).toEqual([]);
    }
  });
});

describe("panning", () => {
  it("follows the finger and never becomes a swipe", () => {
    const gestures = along(
      [
        [0, 0, 0],
        [60, 10, 20],
        [200, 10, 40],
        [200, 10, 41],
      ],
      "pan",
    );
    expect(gestures).toEqual([
      { type: "pan", by: { x: 60, y: 10 } },
      { type: "pan", by: { x: 140, y: 0 } },
    ]);
  });
});

describe("two fingers", () => {
  function both(): Gestures {
    const gestures = new Gestures();
    gestures.down(touch(-50, 0, 0, 1), "swipe", WIDTH);
    gestures.down(touch(50, 0, 40, 2), "swipe", WIDTH);
    return gestures;
  }

  it("that tap are an undo, unless they stay", () => {
    const quick = both();
    quick.move(touch(-48, 3, 90, 1));
    expect([...quick.up(touch(-48, 3, 120, 1)), ...quick.up(touch(50, 0, 140, 2))]).toEqual([
      { type: "twoFingerTap" },
    ]);
    const slow = both();
    expect([...slow.up(touch(-50, 0, 600, 1)), ...slow.up(touch(50, 0, 620, 2))]).toEqual([]);
  });

  it("zoom about their middle and pan with it, from where they set out", () => {
    const gestures = both();
    expect(gestures.move(touch(-100, 0, 60, 1))).toEqual([]); // past the tremble
    expect(gestures.move(touch(-250, 0, 80, 1))).toEqual([
      { type: "pinch", by: { x: -75, y: 0 }, factor: 2, at: { x: -100, y: 0 } },
    ]);
  });

  it("leave one that pans and does not swipe", () => {
    const gestures = both();
    gestures.move(touch(-100, 0, 60, 1));
    gestures.up(touch(-100, 0, 80, 1));
    expect(gestures.move(touch(250, 0, 100, 2))).toEqual([{ type: "pan", by: { x: 200, y: 0 } }]);
    expect(gestures.up(touch(250, 0, 101, 2))).toEqual([]);
  });

  it("and a third mean nothing until all are gone", () => {
    const gestures = both();
    gestures.down(touch(0, 50, 60, 3), "swipe", WIDTH);
    expect(gestures.move(touch(200, 0, 80, 1))).toEqual([]);
    for (const id of [1, 2, 3]) expect(gestures.up(touch(0, 0, 100, id))).toEqual([]);
  });
});

describe("taps", () => {
  const tapped = (gestures: Gestures, x: number, time_ms: number) => [
    ...gestures.down(touch(x, 0, time_ms), "swipe", WIDTH),
    ...gestures.up(touch(x, 0, time_ms + 50)),
  ];

  it("are double when the second is soon and near; a third begins anew", () => {
    const gestures = new Gestures();
    expect(tapped(gestures, 0, 0)).toEqual([]);
    expect(tapped(gestures, 10, 200)).toEqual([{ type: "doubleTap", at: { x: 10, y: 0 } }]);
    expect(tapped(gestures, 10, 400)).toEqual([]);
    expect(tapped(gestures, 100, 500)).toEqual([]);
    expect(tapped(gestures, 100, 1500)).toEqual([]);
  });
});
