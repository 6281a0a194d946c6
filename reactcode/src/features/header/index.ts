// The line at the top, the banner and what a screen reader says; imports api, core, ui and grid.
export { Banner } from "./Banner";
export { Header } from "./Header";
export { Live } from "./Live";
export { isOff } from "./Model";
import "./header.css";
