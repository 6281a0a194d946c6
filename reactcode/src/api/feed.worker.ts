// One feed for all tabs of a browser, which opens six connections to a server and no more.
import { follow, type News } from "./feed";

const at = new URL("..", self.location.href).href; // this is a file among the assets
const tabs = new Set<MessagePort>();
let last: News | null = null;
let stop: (() => void) | null = null;

function begin(): void {
  stop ??= follow(at, (news) => {
    last = news;
    for (const tab of tabs) tab.postMessage(news);
  });
}

function end(): void {
  stop?.();
  stop = last = null;
}

self.addEventListener("connect", (event) => {
  const [tab] = (event as MessageEvent).ports;
  if (!tab) return;
  tab.onmessage = ({ data }: MessageEvent<"here?" | "gone">) => {
    if (data === "here?") return tab.postMessage("here");
    tabs.delete(tab);
    if (tabs.size === 0) end();
  };
  tabs.add(tab);
  if (last !== null && last !== "away") tab.postMessage(last);
  begin();
});
