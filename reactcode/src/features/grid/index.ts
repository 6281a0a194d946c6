// Many images at once: the grid, its cells and the bar below it; imports api, core and ui.
export { Grid } from "./Grid";
export { GridBar, GridButton } from "./GridBar";
import "./grid.css";
