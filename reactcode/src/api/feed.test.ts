// The feed: what is heard of the server's status, however its stream is.
import { beforeEach, expect, it, vi } from "vitest";
import { follow, type News } from "./feed";

class Source {
  static readonly CLOSED = 2;
  readyState = 1;
  isClosed = false;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(readonly address: string) {
    sources.push(this);
  }

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }

  hear(type: string, data = ""): void {
    this.listeners.get(type)?.(new MessageEvent(type, { data }));
  }

  close(): void {
    this.isClosed = true;
  }
}

let sources: Source[] = [];
let heard: News[] = [];
const stream = () => sources.at(-1) as Source;
const open = () => sources.filter(({ isClosed }) => !isClosed);
const begin = () => follow("http://server/photos/", (news) => heard.push(news));

beforeEach(() => {
  vi.useFakeTimers();
  [sources, heard] = [[], []];
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("fetch", () => Promise.resolve(new Response("asked")));
  return () => vi.useRealTimers();
});

it("passes on what the stream says, and stays with it while it speaks", async () => {
  begin();
  expect(stream().address).toBe("http://server/photos/api/events");
  stream().hear("status", "one");
  for (let beat = 0; beat < 10; beat += 1) {
    await vi.advanceTimersByTimeAsync(10_000);
    stream().hear("beat");
  }
  expect([heard, sources.length]).toEqual([[{ status: "one" }], 1]);
});

it.each([
  ["something on the way keeps its words back", false],
  ["it dies without a word", true],
])("asks, and opens the stream anew, when %s", async (_, hasSpoken) => {
  begin();
  if (hasSpoken) stream().hear("status", "one");
  await vi.advanceTimersByTimeAsync(28_000);
  expect(heard).toContainEqual({ status: "asked" });
  expect([sources.length > 1, open().length]).toEqual([true, 1]);
  stream().hear("status", "two");
  const { length } = heard;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(heard.slice(length - 1)).toEqual([{ status: "two" }]);
});

it("opens the stream anew after an answer that is none, and says that the server is away", async () => {
  begin();
  stream().readyState = Source.CLOSED;
  stream().hear("error");
  expect(heard).toEqual(["away"]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect([sources.length, open().length]).toEqual([2, 1]);
});

it("is silent once it is stopped", async () => {
  const stop = begin();
  await vi.advanceTimersByTimeAsync(9_000);
  stop();
  const { length } = heard;
  await vi.advanceTimersByTimeAsync(60_000);
  expect([heard.length, open()]).toEqual([length, []]);
});
