// One image at a time: stage, caption, answers and overlays; imports core, ui and the features that lie on the stage.
export { Alike } from "./Alike";
export { Answers } from "./Answers";
export { Caption } from "./Caption";
export { First } from "./First";
export { History } from "./History";
export { Note } from "./Note";
export { Scene } from "./Scene";
export { Stage } from "./Stage";
export { Veil } from "./Veil";
export { Walk } from "./Walk";
import "./alike.css";
