// What the browser keeps and when it paints: storage, the kept answers and frames; imports nothing of the page.
export { type Kept, openKept } from "./kept";
export { afterPaint, nextFrame } from "./paint";
export { clientId, keep, kept, newId } from "./storage";
