// The colours of the points: by answer, by probability, by prior; light and dark, apart for every kind of colour vision.
import { ANSWER, UNKNOWN, type Points } from "./points";

/** What the colour of a point says. */
export const COLOURINGS = ["answer", "probability", "prior"] as const;
export type Colouring = (typeof COLOURINGS)[number];

export type Rgb = readonly [red: number, green: number, blue: number];

export interface Inks {
  /** The colour of each value, as a pixel of a canvas. */
  readonly pixels: Uint32Array;
  /** Which values are drawn over which: the higher over the lower, 0 to 3. */
  readonly ranks: Uint8Array;
}

type Scheme = "light" | "dark";

/** What the map is drawn on. */
export const GROUND: Readonly<Record<Scheme, Rgb>> = { light: [236, 237, 236], dark: [14, 15, 16] };

/** By the codes of ANSWER: open, positive, negative, skipped, unreadable, labelled by the model. */
const ANSWERS: Readonly<Record<Scheme, readonly Rgb[]>> = {
  light: [
    [152, 159, 167],
    [224, 128, 0],
    [40, 100, 172],
    [28, 30, 33],
    [208, 210, 212],
    [104, 172, 150],
  ],
  dark: [
    [104, 112, 122],
    [246, 168, 60],
    [92, 160, 236],
    [233, 234, 236],
    [44, 47, 51],
    [48, 132, 108],
  ],
};
const ANSWER_RANKS = [1, 3, 2, 2, 0, 1];

/** From 0 over the middle to 1, from faint to strong: the order can be told by lightness alone. */
const RAMPS: Readonly<Record<"probability" | "prior", Readonly<Record<Scheme, readonly Rgb[]>>>> = {
  probability: {
    light: [
      [188, 196, 206],
      [224, 138, 0],
      [110, 36, 0],
    ],
    dark: [
      [52, 60, 72],
      [190, 110, 24],
      [255, 222, 160],
    ],
  },
  prior: {
    light: [
      [196, 202, 204],
      [74, 146, 208],
      [12, 44, 104],
    ],
    dark: [
      [50, 60, 70],
      [60, 128, 200],
      [206, 230, 255],
    ],
  },
};
const UNKNOWN_INK: Readonly<Record<Scheme, Rgb>> = { light: [214, 216, 218], dark: [36, 39, 43] };

export const FADED = 0.72; // how much of the ground shows through a point that is not chosen

/** The colour that stands for a value: of an answer its code, else 0 to 254. */
export function inkOf(colouring: Colouring, value: number, isDark: boolean): Rgb {
  const scheme = isDark ? "dark" : "light";
  if (colouring === "answer") return ANSWERS[scheme][value] ?? UNKNOWN_INK[scheme];
  if (value === UNKNOWN) return UNKNOWN_INK[scheme];
  const ramp = RAMPS[colouring][scheme];
  const at = (value / (UNKNOWN - 1)) * (ramp.length - 1);
  const low = Math.min(Math.floor(at), ramp.length - 2);
  return mixed(ramp[low] ?? [0, 0, 0], ramp[low + 1] ?? [0, 0, 0], at - low);
}

export function mixed(one: Rgb, other: Rgb, part: number): Rgb {
  const channel = (n: 0 | 1 | 2) => Math.round(one[n] + (other[n] - one[n]) * part);
  return [channel(0), channel(1), channel(2)];
}

export function pixelOf([red, green, blue]: Rgb): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** The inks of a colouring; faded ones are for points that are not chosen while others are. */
export function inksOf(colouring: Colouring, isDark: boolean, isFaded = false): Inks {
  const ground = GROUND[isDark ? "dark" : "light"];
  const pixels = new Uint32Array(256);
  const ranks = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    const ink = inkOf(colouring, value, isDark);
    pixels[value] = pixelOf(isFaded ? mixed(ink, ground, FADED) : ink);
    ranks[value] = rankOf(colouring, value);
  }
  return { pixels, ranks };
}

function rankOf(colouring: Colouring, value: number): number {
  if (colouring === "answer") return ANSWER_RANKS[value] ?? 0;
  return value === UNKNOWN ? 0 : 1 + Math.floor((3 * value) / UNKNOWN);
}

/** The values that a colouring reads. */
export function valuesOf(points: Points, colouring: Colouring): Uint8Array {
  return points[colouring];
}

/** The answers in the order of the legend. */
export const LEGEND = [
  ANSWER.positive,
  ANSWER.negative,
  ANSWER.skipped,
  ANSWER.model,
  ANSWER.open,
  ANSWER.unreadable,
] as const;
