// Answers that look wrong, one at a time; imports api, core, ui and review.
export { Slips } from "./Slips";
export { SlipsWaiting } from "./SlipsWaiting";
import "./slips.css";
