// The model labels all other images: threshold, expected quality, examples and undo; imports api, core, ui and info.
export { Finish } from "./Finish";
import "./finish.css";
