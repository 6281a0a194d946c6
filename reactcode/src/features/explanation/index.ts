// Why the model thinks so: the map over the image and the nearest answers; imports core, ui and the lens of looking.
export { Explanation } from "./Explanation";
export { type Why, useExplanation } from "./useExplanation";
export { useHeat } from "./useHeat";
import "./explanation.css";
