// Panels about the run: facts, downloads, keys and TensorBoard; imports api, core, ui, header, import and upload.
export { Downloads } from "./Downloads";
export { Help } from "./Help";
export { Info } from "./Info";
export { TensorBoard } from "./TensorBoard";
