// What a person draws around points: whether a place lies inside. A line that closes itself, by the even-odd rule.
import type { Place } from "./view";

const ROWS = 256;

/**
 * Tells whether a place lies inside an outline. The edges are sorted into rows first, so that a place is compared with
 * the few edges that cross its row, and a million places take some milliseconds.
 */
export function inside(outline: readonly Place[]): (x: number, y: number) => boolean {
  const xs = outline.map(({ x }) => x);
  const ys = outline.map(({ y }) => y);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const height = Math.max(bottom - top, Number.EPSILON);
  const rowOf = (y: number) => Math.min(ROWS - 1, Math.max(0, Math.floor(((y - top) / height) * ROWS)));
  const rows: [Place, Place][][] = Array.from({ length: ROWS }, () => []);
  outline.forEach((from, n) => {
    const to = outline[(n + 1) % outline.length] ?? from;
    const [first, last] = [rowOf(Math.min(from.y, to.y)), rowOf(Math.max(from.y, to.y))];
    for (let row = first; row <= last; row++) rows[row]?.push([from, to]);
  });
  return (x, y) => {
    if (outline.length < 3 || x < left || x > right || y < top || y > bottom) return false;
    let isIn = false;
    for (const [from, to] of rows[rowOf(y)] ?? []) {
      const isCrossed = from.y > y !== to.y > y;
      if (isCrossed && x < from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x)) isIn = !isIn;
    }
    return isIn;
  };
}

/** The outline of a rectangle between two corners. */
export function rectangle(one: Place, other: Place): readonly Place[] {
  return [one, { x: other.x, y: one.y }, other, { x: one.x, y: other.y }];
}
