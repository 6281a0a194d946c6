// The geometry of looking closely.
import { describe, expect, it } from "vitest";
import {
  clamped,
  FIT,
  fittedTo,
  isFit,
  largestScale,
  MIDDLE,
  offsetOf,
  panned,
  pixelScale,
  zoomed,
  type Frame,
  type Point,
  type View,
} from "./view";

const FRAME: Frame = {
  stage: { width: 1000, height: 600 },
  fitted: { width: 800, height: 600 },
  most: 10,
};

/** Which part of the picture is under a point of the stage. */
function under(view: View, at: Point) {
  const offset = offsetOf(view, FRAME);
  return {
    x: 0.5 + (at.x - offset.x) / (view.scale * FRAME.fitted.width),
    y: 0.5 + (at.y - offset.y) / (view.scale * FRAME.fitted.height),
  };
}

describe("zooming", () => {
  it("keeps what is under the point there", () => {
    const start = zoomed(FIT, 4, { x: 100, y: -80 }, FRAME);
    for (const at of [MIDDLE, { x: 130, y: -70 }, { x: -220, y: 140 }]) {
      for (const factor of [0.8, 1.1, 2]) {
        const view = zoomed(start, factor, at, FRAME);
        expect(under(view, at).x).toBeCloseTo(under(start, at).x, 9);
        expect(under(view, at).y).toBeCloseTo(under(start, at).y, 9);
      }
    }
  });

  it("ends at the largest scale, and at the whole picture", () => {
    expect(zoomed(FIT, 1e6, MIDDLE, FRAME).scale).toBe(10);
    expect(zoomed({ scale: 3, x: 0.2, y: 0.9 }, 0.01, { x: 40, y: 40 }, FRAME)).toEqual(FIT);
    expect(isFit(zoomed(FIT, 0.5, MIDDLE, FRAME))).toBe(true);
  });

  it("never shows a gap, wherever it is done and whatever was there before", () => {
    for (const scale of [1.1, 1.3, 2, 7]) {
      for (const x of [-500, -30, 0, 499]) {
        const view = panned(zoomed(FIT, scale, { x, y: 300 }, FRAME), { x: 3 * x, y: 900 }, FRAME);
        const [left, right] = [under(view, { x: -500, y: 0 }).x, under(view, { x: 500, y: 0 }).x];
        const isNarrow = scale * 800 < 1000;
        expect(isNarrow ? view.x === 0.5 : left >= -1e-9 && right <= 1 + 1e-9).toBe(true);
        expect(under(view, { x: 0, y: -300 }).y).toBeGreaterThanOrEqual(-1e-9);
      }
    }
  });
});

describe("panning", () => {
  it("moves the picture by as many pixels as the hand", () => {
    const before = zoomed(FIT, 4, MIDDLE, FRAME);
    const after = panned(before, { x: 30, y: -50 }, FRAME);
    expect(offsetOf(after, FRAME).x - offsetOf(before, FRAME).x).toBeCloseTo(30);
    expect(offsetOf(after, FRAME).y - offsetOf(before, FRAME).y).toBeCloseTo(-50);
  });

  it("stops at the edges, and does nothing to a whole picture", () => {
    const far = panned(zoomed(FIT, 4, MIDDLE, FRAME), { x: 1e6, y: 1e6 }, FRAME);
    expect(under(far, { x: -500, y: -300 })).toEqual({ x: 0, y: 0 });
    expect(panned(FIT, { x: 100, y: 100 }, FRAME)).toEqual(FIT);
  });
});

describe("a pinned view", () => {
  it("keeps its scale and place on a picture of another shape, as far as that has pixels there", () => {
    const tall = { ...FRAME, fitted: { width: 200, height: 600 } };
    expect(clamped({ scale: 3, x: 0.1, y: 0.4 }, tall)).toEqual({ scale: 3, x: 0.5, y: 0.4 });
    expect(clamped({ scale: 3, x: 0.3, y: 0.4 }, FRAME)).toEqual({ scale: 3, x: 0.3, y: 0.4 });
  });
});

describe("sizes", () => {
  it("fit the stage, and enlarge a tiny picture three times at most", () => {
    expect(fittedTo({ width: 1000, height: 600 }, { width: 4000, height: 3000 })).toEqual(FRAME.fitted);
    expect(fittedTo({ width: 1000, height: 600 }, { width: 64, height: 32 })).toEqual({
      width: 192,
      height: 96,
    });
  });

  it("know where the file's own pixels are seen", () => {
    expect(pixelScale(FRAME.fitted, { width: 4000, height: 3000 }, 1)).toBe(5);
    expect(pixelScale(FRAME.fitted, { width: 4000, height: 3000 }, 2)).toBe(2.5);
    expect(largestScale(5)).toBe(20);
    expect(largestScale(0.3)).toBe(8);
  });
});
