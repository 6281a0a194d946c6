// The model labels the rest: threshold, expected quality, examples and undo; imports api, core, ui and info.
export { Finish } from "./Finish";
import "./finish.css";
