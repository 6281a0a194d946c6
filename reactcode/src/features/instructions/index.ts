// The instructions for annotators, written in Markdown; imports api, core and ui.
export { Instructions } from "./Instructions";
import "./instructions.css";
