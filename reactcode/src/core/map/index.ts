// The map of the folder without its view: points, colours, what is seen, what lies inside an outline; imports nothing.
export { COLOURINGS, type Colouring, GROUND, inkOf, inksOf, LEGEND, pixelOf, valuesOf } from "./inks";
export { inside, rectangle } from "./lasso";
export {
  ANSWER,
  BORDER,
  openOf,
  opinion,
  placed,
  type Points,
  pointsOf,
  selected,
  type Selection,
  some,
  tally,
  UNKNOWN,
  withAnswers,
} from "./points";
export { draw, drawing, type Drawing, radiusOf } from "./raster";
export {
  affine,
  around,
  nearest,
  panned,
  type Place,
  scaleOf,
  type Size,
  type View,
  WHOLE,
  zoomed,
} from "./view";
