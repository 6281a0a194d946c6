// What the page knows and how each step changes it, as pure functions; imports api types and words.
export { alikeOf, copiesAtEnd, countImages, imagesOf, imagesWaiting } from "./alike";
export {
  SIZES,
  againstModel,
  asksFirst,
  checkedSize,
  columnsFor,
  gridAnswers,
  isGridShown,
  markOf,
  nextGrid,
  nextSize,
  placesOf,
} from "./grid";
export type { Mark } from "./gridState";
export { BOUNDS, GAMMA_FILTER, type Look, PLAIN, type Part, checkedLook, filterOf, written } from "./look";
export { reduce } from "./session";
export { SPEED, nextSpeed } from "./speed";
export {
  type Asked,
  type Correction,
  PAUSED,
  type Panel,
  type Past,
  START,
  type Scene,
  type State,
  type Step,
  answeredCount,
  answeredHere,
  atWork,
  autoRuns,
  canAnswer,
  countsDown,
  foundHere,
  isPainted,
  keyOf,
  probabilityOf,
  sceneOf,
  shownOf,
} from "./state";
