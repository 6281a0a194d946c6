// Past answers to look through and to put right; imports api, core and ui.
export { once, takeLastBack } from "./lastBack";
export { RecentNote } from "./RecentNote";
export { Review } from "./Review";
export { changeable, stepOf } from "./reviewed";
import "./review.css";
