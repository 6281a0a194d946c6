// Which key does what, in the grid and elsewhere; imports the engine and the rooms below it.
export { actionOf, isTaken, keepBindings, keptBindings, keyLabel, keyName, rebound } from "./bindings";
export { CELL_KEYS } from "./gridKeys";
export { type Action, type Bindings, DEFAULT_BINDINGS, KEYS, doing, labelOf, perform } from "./keys";
export { onKey } from "./press";
