// The points of the map as the server sends them: one place for each image, and what is known of it, without copies.

/** Where an image lies and what is known of it; the place in every array is the number of the image. */
export interface Points {
  readonly size: number;
  /** Places between -32767 and 32767; NO_PLACE: not on the map yet. */
  readonly x: Int16Array;
  readonly y: Int16Array;
  /** A code of ANSWER. */
  readonly answer: Uint8Array;
  /** 0 to 254 for a probability of 0 to 1; UNKNOWN: there is none. */
  readonly probability: Uint8Array;
  /** 0 to 254, the higher the earlier it would be asked before any answer; UNKNOWN: there is none. */
  readonly prior: Uint8Array;
  /** The cluster that it belongs to; UNKNOWN: to none. */
  readonly cluster: Uint8Array;
}

export const NO_PLACE = -32768;
export const UNKNOWN = 255;
/** The place of an image at the border of the map. */
export const BORDER = 32767;

export const ANSWER = { open: 0, positive: 1, negative: 2, skipped: 3, unreadable: 4, model: 5 } as const;

const BYTES = 8; // of one image in all arrays together

export function pointsOf(bytes: ArrayBuffer): Points {
  if (bytes.byteLength % BYTES !== 0) throw new RangeError("The points of the map are cut short.");
  const size = bytes.byteLength / BYTES;
  const shorts = (place: number) => new Int16Array(bytes, 2 * size * place, size);
  const octets = (place: number) => new Uint8Array(bytes, size * (4 + place), size);
  return {
    size,
    x: shorts(0),
    y: shorts(1),
    answer: octets(0),
    probability: octets(1),
    prior: octets(2),
    cluster: octets(3),
  };
}

/** Whether a person can still answer it: nobody has, or only the model. */
export function isOpen({ answer }: Points, image: number): boolean {
  return answer[image] === ANSWER.open || answer[image] === ANSWER.model;
}

/** The points as they will be once these images are answered. */
export function withAnswers(
  points: Points,
  images: readonly number[],
  label: "positive" | "negative",
): Points {
  const answer = points.answer.slice();
  for (const image of images) answer[image] = ANSWER[label];
  return { ...points, answer };
}

/** How many images have a place. */
export function placed({ x }: Points): number {
  return x.reduce((sum, at) => sum + (at === NO_PLACE ? 0 : 1), 0);
}

/** How many placed images have each answer, by its code. */
export function tally({ size, x, answer }: Points): readonly number[] {
  const counts = [0, 0, 0, 0, 0, 0];
  for (let image = 0; image < size; image++) {
    if (x[image] === NO_PLACE) continue;
    const code = answer[image] ?? 0;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

/** Images that a person has chosen on the map. */
export interface Selection {
  /** 1 for each image that is chosen. */
  readonly mask: Uint8Array;
  readonly images: number;
}

/** The images for which this holds, of those that have a place. */
export function selected({ size, x }: Points, isIn: (image: number) => boolean): Selection {
  const mask = new Uint8Array(size);
  let images = 0;
  for (let image = 0; image < size; image++) {
    if (x[image] === NO_PLACE || !isIn(image)) continue;
    mask[image] = 1;
    images += 1;
  }
  return { mask, images };
}

/** The chosen images that a person can still answer. */
export function openOf(points: Points, { mask }: Selection): readonly number[] {
  const open: number[] = [];
  for (let image = 0; image < points.size; image++)
    if (mask[image] === 1 && isOpen(points, image)) open.push(image);
  return open;
}

/** How many of these the model calls positive, and how many it knows at all. */
export function opinion({ probability }: Points, images: readonly number[]) {
  let known = 0;
  let positive = 0;
  for (const image of images) {
    const value = probability[image] ?? UNKNOWN;
    if (value === UNKNOWN) continue;
    known += 1;
    if (value >= (UNKNOWN - 1) / 2) positive += 1;
  }
  return { known, positive };
}

/** A few of them, evenly from first to last. */
export function some(images: readonly number[], most: number): readonly number[] {
  if (images.length <= most) return images;
  return Array.from({ length: most }, (_, n) => images[Math.floor(((n + 0.5) * images.length) / most)] ?? 0);
}
