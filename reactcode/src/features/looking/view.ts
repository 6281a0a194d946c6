// Which part of a picture is seen, and how large: pure geometry, in CSS pixels and parts of the picture.

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** In CSS pixels from the middle of the stage. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface View {
  /** How much larger than when the whole picture fits the stage. */
  readonly scale: number;
  /** What is in the middle of the stage: 0 is the picture's left or upper edge, 1 the right or lower one. */
  readonly x: number;
  readonly y: number;
}

/** What a view is seen in. */
export interface Frame {
  readonly stage: Size;
  /** The whole picture as it fits the stage. */
  readonly fitted: Size;
  /** The largest scale. */
  readonly most: number;
}

export const FIT: View = { scale: 1, x: 0.5, y: 0.5 };
export const MIDDLE: Point = { x: 0, y: 0 };

const MOST_ENLARGED = 3; // a tiny picture is enlarged no further, though it does not fill the stage
const LARGEST = { scale: 8, pixels: 4 };
const ALMOST_FIT = 1.02; // zooming out to this scale shows the whole picture

/** The size of a whole picture on a stage. */
export function fittedTo(stage: Size, natural: Size): Size {
  const enlarged = Math.min(stage.width / natural.width, stage.height / natural.height, MOST_ENLARGED);
  return { width: enlarged * natural.width, height: enlarged * natural.height };
}

/** The scale at which a pixel of the file is one pixel of the screen. */
export function pixelScale(fitted: Size, natural: Size, pixelRatio: number): number {
  return natural.width / (pixelRatio * fitted.width);
}

/** The largest useful scale, given the scale of the file's own pixels. */
export function largestScale(pixels: number): number {
  return Math.max(LARGEST.scale, LARGEST.pixels * pixels);
}

/** Zooms by a factor; what is under the point stays there, as far as the edges allow. */
export function zoomed(view: View, factor: number, at: Point, frame: Frame): View {
  const wanted = Math.min(view.scale * factor, frame.most);
  if (factor < 1 && wanted < ALMOST_FIT) return FIT;
  const shift = 1 / view.scale - 1 / wanted;
  const x = view.x + (at.x * shift) / frame.fitted.width;
  const y = view.y + (at.y * shift) / frame.fitted.height;
  return clamped({ scale: wanted, x, y }, frame);
}

/** The picture moved by so many pixels, as far as its edges allow. */
export function panned(view: View, { x, y }: Point, frame: Frame): View {
  const { width, height } = frame.fitted;
  const moved = { x: view.x - x / (view.scale * width), y: view.y - y / (view.scale * height) };
  return clamped({ scale: view.scale, ...moved }, frame);
}

/** The nearest view that leaves no gap where the picture could be. */
export function clamped(view: View, { stage, fitted, most }: Frame): View {
  const scale = Math.min(Math.max(view.scale, 1), most);
  return {
    scale,
    x: within(view.x, stage.width / (2 * scale * fitted.width)),
    y: within(view.y, stage.height / (2 * scale * fitted.height)),
  };
}

/** The nearest middle from which the stage, reaching so far to both sides, leaves no gap. */
function within(middle: number, reach: number): number {
  return reach >= 0.5 ? 0.5 : Math.min(Math.max(middle, reach), 1 - reach);
}

export function isFit(view: View): boolean {
  return view.scale === 1;
}

/** Where the picture's middle is. */
export function offsetOf(view: View, { fitted }: Frame): Point {
  return {
    x: (0.5 - view.x) * view.scale * fitted.width,
    y: (0.5 - view.y) * view.scale * fitted.height,
  };
}
