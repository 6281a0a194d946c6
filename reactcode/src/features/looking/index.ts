// Looking closely: the lens, its geometry and the tools for contrast and brightness; imports api, core and ui.
export { Gamma } from "./Gamma";
export type { Elements } from "./glass";
export { Lens } from "./lens";
export { Tools } from "./Tools";
export { MIDDLE, type Point } from "./view";
export { Viewing } from "./Viewing";
import "./looking.css";
