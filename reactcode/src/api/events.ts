// The status of the server, whenever it changes.
import { news } from "./news";
import type { Status } from "./types";

/** Follow the server's status until the returned function is called. */
export function events(onStatus: (status: Status) => void, onAway: () => void): () => void {
  return news((heard) => {
    if (heard === "away") onAway();
    else onStatus(JSON.parse(heard.status) as Status);
  });
}
