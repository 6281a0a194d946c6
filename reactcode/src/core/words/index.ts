// How numbers, labels, paths and tiles are written for a person; imports the api.
export { LAST_KNOWN, away, reasonOf } from "./trouble";
export { leftInWords, overInWords } from "./first";
export { type Tile, named, noun, placeOf, spoken, tileOf } from "./tiles";
export {
  answersPerSecond,
  count,
  counted,
  duration,
  inTwo,
  minutes,
  moment,
  nameOf,
  ofPhotos,
  origin,
  pace,
  perSecond,
  percent,
  sourceName,
  takenBack,
} from "./words";
