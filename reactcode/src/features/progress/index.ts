// Figures of the run: what was found, the audit, the model and the pace; imports api, core, ui and slips.
export { Certified } from "./Certified";
export { Progress } from "./Progress";
import "./progress.css";
