// Where a tab has its news from: a worker that all tabs share, or a stream of its own.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeServer } from "../testing/fakeServer";
import type { News } from "./feed";
import { news } from "./news";

class Port {
  onmessage: ((event: MessageEvent<unknown>) => void) | null = null;
  isClosed = false;
  readonly told: string[] = [];
  answers = true;

  postMessage(question: string): void {
    this.told.push(question);
    if (this.answers && question === "here?") this.hear("here");
  }

  hear(data: unknown): void {
    this.onmessage?.(new MessageEvent("message", { data }));
  }

  close(): void {
    this.isClosed = true;
  }
}

let ports: Port[] = [];
let answers = true;
let heard: News[] = [];
let stop: (() => void) | null = null;
const port = () => ports.at(-1) as Port;

class Worker {
  readonly port = new Port();
  onerror: (() => void) | null = null;

  constructor() {
    this.port.answers = answers;
    ports.push(this.port);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  [ports, heard, answers] = [[], [], true];
  vi.stubGlobal("SharedWorker", Worker);
});

afterEach(() => {
  stop?.();
  vi.useRealTimers();
});

function begin(): void {
  stop = news((one) => heard.push(one));
}

it("comes from the worker, and from the same one while it answers", async () => {
  begin();
  port().hear({ status: "one" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect([heard, ports.length]).toEqual([[{ status: "one" }], 1]);
});

it("comes from another worker within two seconds after one has crashed", async () => {
  begin();
  await vi.advanceTimersByTimeAsync(5_000);
  port().answers = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(ports.map(({ isClosed }) => isClosed)).toEqual([true, false]);
});

it.each<[string, () => void]>([
  ["the browser shares none", () => vi.stubGlobal("SharedWorker", undefined)],
  ["the browser forbids it", () => vi.stubGlobal("SharedWorker", forbidden)],
  ["none ever answers", () => (answers = false)],
])("comes from a stream of the tab's own where %s", async (_, prepare) => {
  const server = new FakeServer();
  prepare();
  begin();
  await vi.advanceTimersByTimeAsync(20_000);
  heard.length = 0;
  server.push();
  expect(heard).toHaveLength(1);
});

function forbidden(): void {
  throw new DOMException("Not here.", "SecurityError");
}

it("gives its stream up while the tab is hidden", () => {
  const server = new FakeServer();
  vi.stubGlobal("SharedWorker", undefined);
  begin();
  const visible = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  server.push();
  expect(heard).toHaveLength(0);
  visible.mockReturnValue("visible");
  document.dispatchEvent(new Event("visibilitychange"));
  server.push();
  expect(heard).toHaveLength(1);
});

it("tells the worker when the page is left, and comes again when it is brought back", () => {
  begin();
  window.dispatchEvent(new Event("pagehide"));
  expect(port().told).toEqual(["gone"]);
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  port().hear({ status: "two" });
  expect([ports.length, heard]).toEqual([2, [{ status: "two" }]]);
});
