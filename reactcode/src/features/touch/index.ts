// Fingers, mouse and wheel on the stage; imports core, ui and the lens of looking.
export { attachPointer } from "./pointer";
export { Swipes } from "./Swipes";
