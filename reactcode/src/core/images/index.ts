// Fetches and decodes pictures before they are needed; imports api and session.
export { AHEAD, Pictures } from "./pictures";
export { Preload, sizeFor } from "./preload";
