// The wire: every request, its answers' types and the server's news; imports nothing of the page.
export { Away, Refused } from "./client";
export { events } from "./events";
export * from "./requests";
export type * from "./types";
export * from "./upload";
