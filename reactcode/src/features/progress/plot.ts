// The geometry of a plot: ticks at round numbers, and the place of a number on paper.

export const PAPER = { width: 400, height: 168, left: 44, right: 10, top: 8, bottom: 22 } as const;

/** Round numbers from 0 to at most `most`, about `wanted` of them. */
export function ticks(most: number, wanted: number): readonly number[] {
  const step = stepOf(most, wanted);
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, place) => place * step);
}

/** The first tick that `most` does not pass. */
export function roof(most: number, wanted: number): number {
  const step = stepOf(most, wanted);
  return Math.max(1, Math.ceil(most / step)) * step;
}

function stepOf(most: number, wanted: number): number {
  const rough = Math.max(most, 1) / wanted;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((one) => one * decade >= rough) ?? 10;
  return Math.max(factor * decade, 1);
}

export type Place = (x: number, y: number) => readonly [number, number];

/** The place on paper of a point, where the axes end at these numbers. */
export function placed(mostX: number, mostY: number): Place {
  const { width, height, left, right, top, bottom } = PAPER;
  return (x, y) => [
    round(left + (x / mostX) * (width - left - right)),
    round(height - bottom - (y / mostY) * (height - top - bottom)),
  ];
}

function round(length: number): number {
  return Math.round(10 * length) / 10;
}

/** A line through points, as an SVG path. */
export function line(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y], place) => `${place === 0 ? "M" : "L"}${x} ${y}`).join("");
}

/** Each point as a line without length, which round caps make a dot. */
export function dots(points: readonly (readonly [number, number])[]): string {
  return points.map(([x, y]) => `M${x} ${y}h0`).join("");
}
