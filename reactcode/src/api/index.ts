// The wire: every request, its answers' types and the server's news; imports nothing of the page.
export * from "./client";
