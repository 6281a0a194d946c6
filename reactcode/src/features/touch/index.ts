// Fingers, mouse and wheel on the stage; imports core, ui and the lens of looking.
export { attachHands } from "./hands";
export { Swipes } from "./Swipes";
