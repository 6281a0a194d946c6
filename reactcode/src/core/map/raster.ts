// Draws points into the pixels of a canvas: a loop over arrays, about ten milliseconds for a million, without a GPU.
import type { Inks } from "./inks";
import { NO_PLACE, type Points } from "./points";
import { affine, type Size, type View } from "./view";

/** Points in the order in which they are drawn, and the ink of each. */
export interface Drawing {
  readonly points: Points;
  /** Image numbers, those with a place only; later ones are drawn over earlier ones. */
  readonly order: Uint32Array;
  /** Where in `order` the points begin that are drawn even where others are left out: few, and those that matter. */
  readonly always: number;
  readonly values: Uint8Array;
  readonly inks: Inks;
  /** For the points that are not chosen, while some are. */
  readonly faded: Inks;
  readonly mask: Uint8Array | null;
}

const RANKS = 8;
const FEW = 20_000;

/** Sorts the points: those not chosen below those chosen, and each of these by the rank of its value. */
export function drawing(
  points: Points,
  values: Uint8Array,
  inks: Inks,
  faded: Inks,
  mask: Uint8Array | null,
): Drawing {
  const rankOf = (image: number) =>
    (inks.ranks[values[image] ?? 0] ?? 0) + (mask !== null && mask[image] === 1 ? RANKS / 2 : 0);
  const starts = new Uint32Array(RANKS + 1);
  for (let image = 0; image < points.size; image++)
    if (points.x[image] !== NO_PLACE) starts[rankOf(image) + 1]! += 1;
  for (let rank = 0; rank < RANKS; rank++) starts[rank + 1]! += starts[rank]!;
  const all = starts[RANKS]!;
  let always = all;
  for (let rank = RANKS - 1; rank > 0 && all - starts[rank]! <= FEW; rank--) always = starts[rank]!;
  const order = new Uint32Array(all);
  const next = starts.slice();
  for (let image = 0; image < points.size; image++)
    if (points.x[image] !== NO_PLACE) order[next[rankOf(image)]!++] = image;
  return { points, order, always, values, inks, faded, mask };
}

/** The pixels that a point covers, by how many pixels of the screen its radius is. */
interface Stamp {
  readonly dx: Int32Array;
  readonly dy: Int32Array;
  /** How much of the pixel it covers, 1 to 256. */
  readonly cover: Int32Array;
  /** How far it reaches from its place. */
  readonly reach: number;
}

const FINENESS = 4; // parts of a pixel, to each side, by which the cover of its edge is counted
const stamps = new Map<number, Stamp>();

export function stampOf(radius: number): Stamp {
  const known = Math.round(radius * 4) / 4;
  const stamp = stamps.get(known) ?? cut(known);
  stamps.set(known, stamp);
  return stamp;
}

function cut(radius: number): Stamp {
  if (radius < 0.75)
    return { dx: Int32Array.of(0), dy: Int32Array.of(0), cover: Int32Array.of(256), reach: 1 };
  const reach = Math.ceil(radius);
  const cells: (readonly [number, number, number])[] = [];
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = coverOf(dx, dy, radius);
      if (cover > 0) cells.push([dx, dy, cover]);
    }
  const column = (n: 0 | 1 | 2) => Int32Array.from(cells, (cell) => cell[n]);
  return { dx: column(0), dy: column(1), cover: column(2), reach };
}

function coverOf(dx: number, dy: number, radius: number): number {
  let inside = 0;
  for (let i = 0; i < FINENESS; i++)
    for (let j = 0; j < FINENESS; j++) {
      const x = dx + (i + 0.5) / FINENESS - 0.5;
      const y = dy + (j + 0.5) / FINENESS - 0.5;
      if (x * x + y * y <= radius * radius) inside += 1;
    }
  return Math.round((256 * inside) / FINENESS ** 2);
}

/** Draws every `step`th point over the ground; those that matter are all drawn. Returns how many were on the screen. */
export function draw(
  pixels: Uint32Array,
  size: Size,
  view: View,
  { points, order, always, values, inks, faded, mask }: Drawing,
  { ground, radius, step }: { readonly ground: number; readonly radius: number; readonly step: number },
): number {
  const { width, height } = size;
  const { factor, left, top } = affine(view, size);
  const { dx, dy, cover, reach } = stampOf(radius);
  const isDot = dx.length === 1;
  pixels.fill(ground);
  let drawn = 0;
  for (let n = 0; n < order.length; n = n < always ? Math.min(n + step, always) : n + 1) {
    const image = order[n]!;
    const x = (points.x[image]! * factor + left) | 0;
    const y = (points.y[image]! * factor + top) | 0;
    if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
    drawn += 1;
    const isFaded = mask !== null && mask[image] !== 1;
    const ink = (isFaded ? faded : inks).pixels[values[image]!]!;
    const at = y * width + x;
    if (isDot) pixels[at] = ink;
    else
      for (let part = 0; part < dx.length; part++) {
        const place = at + dy[part]! * width + dx[part]!;
        pixels[place] = cover[part] === 256 ? ink : blended(ink, pixels[place]!, cover[part]!);
      }
  }
  return drawn;
}

/** So much of one pixel over another: red and blue at once, then green. */
function blended(over: number, under: number, cover: number): number {
  const rest = 256 - cover;
  const redBlue = (((over & 0xff00ff) * cover + (under & 0xff00ff) * rest) >>> 8) & 0xff00ff;
  const green = (((over & 0xff00) * cover + (under & 0xff00) * rest) >>> 8) & 0xff00;
  return (0xff000000 | redBlue | green) >>> 0;
}

/** How large a point is, in pixels: the more points and the less zoom, the smaller. */
export function radiusOf(images: number, { zoom }: View, { width, height }: Size): number {
  const apart = Math.min(width, height) / Math.sqrt(Math.max(images, 1));
  return Math.min(Math.max(0.28 * apart * Math.sqrt(zoom), 0.5), 0.011 * Math.min(width, height) + 2);
}
