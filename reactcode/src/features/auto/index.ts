// AUTO as a person sees it: the switch, the ring, late presses and its questions; imports api, core and ui.
export { Auto } from "./Auto";
export { LatePress } from "./LatePress";
export { OfferToStop } from "./OfferToStop";
export { Ring } from "./Ring";
export { StillThere } from "./StillThere";
import "./auto.css";
