// Which part of the map is seen, and how a place on it becomes a place on the screen. Pure.
import { BORDER, NO_PLACE, type Points } from "./points";

/** The middle of what is seen, in parts of the map from -1 to 1; zoom 1: the whole map fits. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A place on the screen, in pixels from the top left. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export const WHOLE: View = { x: 0, y: 0, zoom: 1 };
const MARGIN = 0.94; // the outermost points do not touch the edge
const LEAST = 0.7;
const MOST = 400;

const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), high);

/** Pixels to half of the map's side. */
export function scaleOf({ zoom }: View, { width, height }: Size): number {
  return (zoom * MARGIN * Math.min(width, height)) / 2;
}

/** x on the screen = x as the server sends it * factor + left; y in the same way with top. */
export function affine(view: View, size: Size) {
  const scale = scaleOf(view, size);
  return {
    factor: scale / BORDER,
    left: size.width / 2 - view.x * scale,
    top: size.height / 2 - view.y * scale,
  };
}

function bounded({ x, y, zoom }: View): View {
  return { x: within(x, -1, 1), y: within(y, -1, 1), zoom: within(zoom, LEAST, MOST) };
}

/** Moved by so many pixels of the screen. */
export function panned(view: View, dx: number, dy: number, size: Size): View {
  const scale = scaleOf(view, size);
  return bounded({ ...view, x: view.x - dx / scale, y: view.y - dy / scale });
}

/** Larger by a factor; what is at this place of the screen stays there. */
export function zoomed(view: View, factor: number, at: Place, size: Size): View {
  const zoom = within(view.zoom * factor, LEAST, MOST);
  const [before, after] = [scaleOf(view, size), scaleOf({ ...view, zoom }, size)];
  const shift = 1 / before - 1 / after;
  return bounded({
    x: view.x + (at.x - size.width / 2) * shift,
    y: view.y + (at.y - size.height / 2) * shift,
    zoom,
  });
}

/** A view in which a round part of the map is in the middle with some of its surroundings. */
export function around(part: { readonly x: number; readonly y: number; readonly radius: number }): View {
  return bounded({ x: part.x, y: part.y, zoom: within(0.45 / Math.max(part.radius, 0.02), 1, 8) });
}

/** The image nearest to a place of the screen; null: none is so near. */
export function nearest(points: Points, view: View, size: Size, at: Place, within_px: number): number | null {
  const { factor, left, top } = affine(view, size);
  const [x, y] = [(at.x - left) / factor, (at.y - top) / factor];
  let best: number | null = null;
  let least = (within_px / factor) ** 2;
  for (let image = 0; image < points.size; image++) {
    const px = points.x[image] ?? NO_PLACE;
    if (px === NO_PLACE) continue;
    const distance = (px - x) ** 2 + ((points.y[image] ?? 0) - y) ** 2;
    if (distance > least) continue;
    best = image;
    least = distance;
  }
  return best;
}
