// Labels from a file: plan, store and take back; imports api, core and ui.
export { Import } from "./Import";
export { LastImport } from "./LastImport";
import "./import.css";
