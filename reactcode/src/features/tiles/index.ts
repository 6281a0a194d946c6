// Where a tile lies in its photo; imports api, core and ui.
export { Where } from "./Where";
import "./tiles.css";
