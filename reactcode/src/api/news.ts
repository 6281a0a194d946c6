// The server's news in this tab: from a worker that all tabs of the browser share, or from a feed of its own.
import { follow, type News } from "./feed";

const LOOK_EVERY_MS = 500;
const MISSED = 2; // so many questions without an answer, and the worker is taken for dead
const TRIES = 8; // on a slow network it takes its time to come

/** Hear the news until the returned function is called. */
export function news(tell: (news: News) => void): () => void {
  return typeof SharedWorker === "undefined" ? alone(tell) : shared(tell);
}

/** The worker may crash with the tab that began it: it is asked twice a second, and begun again when it is silent. */
function shared(tell: (news: News) => void): () => void {
  let port: MessagePort | null = null;
  let missed = 0;
  let tries = 0; // since the worker was last heard
  let stopAlone: (() => void) | null = null;

  const connect = () => {
    leave();
    missed = 0;
    tries += 1;
    try {
      const worker = new SharedWorker(new URL("./feed.worker.ts", import.meta.url), { type: "module" });
      worker.onerror = giveUp;
      port = worker.port;
    } catch {
      return giveUp(); // the browser forbids it, as some do in private windows
    }
    port.onmessage = ({ data }: MessageEvent<News | "here">) => {
      missed = tries = 0;
      if (data !== "here") tell(data);
    };
  };
  const leave = () => {
    port?.postMessage("gone");
    port?.close();
    port = null;
  };
  const giveUp = () => {
    clearInterval(looking);
    leave();
    stopAlone ??= alone(tell);
  };
  const look = () => {
    missed += 1;
    if (missed <= MISSED) port?.postMessage("here?");
    else if (tries < TRIES) connect();
    else giveUp();
  };
  const onBack = ({ persisted }: PageTransitionEvent) => {
    if (persisted && stopAlone === null) connect(); // the browser brings the page back as it was
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  connect();
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", onBack);
  return () => {
    window.removeEventListener("pagehide", leave);
    window.removeEventListener("pageshow", onBack);
    clearInterval(looking);
    leave();
    stopAlone?.();
  };
}

/** A feed of this tab's own, while it is seen: a hidden one must not take a connection from the others. */
function alone(tell: (news: News) => void): () => void {
  let stop: (() => void) | null = null;
  const onVisible = () => {
    stop?.();
    stop = document.visibilityState === "hidden" ? null : follow(new URL(".", document.baseURI).href, tell);
  };
  document.addEventListener("visibilitychange", onVisible);
  onVisible();
  return () => {
    document.removeEventListener("visibilitychange", onVisible);
    stop?.();
  };
}
