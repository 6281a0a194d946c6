// The engine where the page cannot be pressed into it: another run on the same address, and nobody at the keys.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openKept } from "../browser";
import { perform } from "../keys";
import { keyOf, shownOf } from "../session";
import { FakeServer } from "../../testing/fakeServer";
import { Engine } from "./engine";

let server: FakeServer;
let stop: (() => void) | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
});

afterEach(() => {
  stop?.();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function started(onOtherRun?: () => void): Promise<Engine> {
  const engine = new Engine(onOtherRun);
  stop = engine.start();
  await vi.advanceTimersByTimeAsync(300);
  return engine;
}

/** What the stage says once it has painted. */
function paint(engine: Engine): void {
  const shown = shownOf(engine.state);
  if (shown) engine.dispatch({ type: "painted", key: keyOf(shown) });
}

it("sends no answer to another run that has taken the address, and keeps it for its own", async () => {
  const onOtherRun = vi.fn();
  const engine = await started(onOtherRun);
  paint(engine);
  server.failure = 0;
  engine.answer("positive", "key");
  await vi.advanceTimersByTimeAsync(100);
  server.changes = { id: "another" };
  server.failure = null;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(onOtherRun).toHaveBeenCalled();
  expect(server.received).toEqual([]);
  vi.useRealTimers();
  expect(await (await openKept()).all("1d:")).toHaveLength(1);
});

it("asks in AUTO whether somebody is there when there was no sign for as long as the run says, and answers nothing more", async () => {
  const engine = await started();
  server.changes = { auto_idle: 30 };
  server.probabilityOf = () => 0.9;
  server.push();
  engine.setSpeed(0.2);
  perform(engine, "auto", "key");
  for (let second = 0; second < 120 && !engine.state.idle; second += 1) {
    paint(engine);
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(engine.state.idle).toBe(true);
  const { length } = server.received;
  expect(length).toBeGreaterThanOrEqual(4);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(server.received).toHaveLength(length);
});

it("stops AUTO when answers pile up", async () => {
  const engine = await started();
  vi.stubGlobal("fetch", () => new Promise(() => undefined)); // no answer, and no failure either
  for (let image = 0; image < 4; image += 1) {
    paint(engine);
    engine.answer("negative", "key");
  }
  await vi.advanceTimersByTimeAsync(1900);
  expect(engine.state.stuck).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(engine.state.stuck).toBe(true);
});

it("says when an answer does not get through, and stops when one does", async () => {
  const engine = await started();
  const real = fetch;
  vi.stubGlobal("fetch", () => new Promise(() => undefined)); // as when other tabs hold all connections
  paint(engine);
  engine.answer("positive", "key");
  await vi.advanceTimersByTimeAsync(4_900);
  expect(engine.state.held).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(engine.state).toMatchObject({ held: true, waiting: 1 });
  vi.stubGlobal("fetch", real);
  engine.dispatch({ type: "waiting", waiting: 0, images: [] });
  expect(engine.state.held).toBe(false);
});

it.each([404, 413])(
  "keeps answers that a proxy has refused with %s in the server's place",
  async (status) => {
    const engine = await started();
    const real = fetch;
    const page = () => new Response("<h1>nginx</h1>", { status });
    vi.stubGlobal("fetch", (path: string, init: RequestInit = {}) =>
      init.method === "POST" ? Promise.resolve(page()) : real(path, init),
    );
    paint(engine);
    engine.answer("positive", "key");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(engine.state).toMatchObject({ waiting: 1, trouble: `The server answered ${status}.` });
    vi.stubGlobal("fetch", real);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.stored).toHaveLength(1);
  },
);

it("shows the page's key with what changes something", async () => {
  const engine = await started();
  const real = fetch;
  const shown: unknown[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    if (init.method) shown.push(new Headers(init.headers).get("x-page-key"));
    const response = await real(path, init);
    response.headers.set("x-page-key", "k");
    return response;
  });
  for (let image = 0; image < 2; image += 1) {
    paint(engine);
    engine.answer("positive", "key");
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(shown.at(-1)).toBe("k");
});

it("counts the time on screen from the paint, without pauses", async () => {
  const engine = await started();
  await vi.advanceTimersByTimeAsync(5000);
  paint(engine);
  await vi.advanceTimersByTimeAsync(400);
  perform(engine, "pause", "key");
  await vi.advanceTimersByTimeAsync(5000);
  engine.answer("negative", "key"); // it does not go through
  perform(engine, "pause", "key");
  engine.answer("positive", "key");
  await vi.advanceTimersByTimeAsync(50);
  expect(server.received.map(({ label, shown_ms }) => [label, shown_ms])).toEqual([["positive", 400]]);
});

it("takes back as many answers as Backspace was pressed, however fast", async () => {
  const engine = await started();
  for (let image = 0; image < 4; image += 1) {
    paint(engine);
    engine.answer("negative", "key");
    await vi.advanceTimersByTimeAsync(300);
  }
  const taken = vi.spyOn(engine, "dispatch");
  for (let press = 0; press < 3; press += 1) perform(engine, "undo", "key");
  await vi.advanceTimersByTimeAsync(2000);
  expect(taken.mock.calls.filter(([action]) => action.type === "undone")).toHaveLength(3);
});

it("hands back what it was given when the page is left, but not while answers wait", async () => {
  const engine = await started();
  paint(engine);
  server.failure = 0;
  engine.answer("positive", "key");
  await vi.advanceTimersByTimeAsync(100);
  window.dispatchEvent(new Event("pagehide"));
  server.failure = null;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(server.stored).toHaveLength(1);
  expect(server.released).toEqual([]);
  window.dispatchEvent(new Event("pagehide"));
  await vi.advanceTimersByTimeAsync(100);
  expect(server.released).toEqual([engine.client]);
});

it("asks anew when the browser brings the page back as it was", async () => {
  await started();
  await vi.advanceTimersByTimeAsync(1000);
  const asked = () => server.requests.filter((request) => request === "GET /api/queue").length;
  const before = asked();
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: false }));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked()).toBe(before);
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  await vi.advanceTimersByTimeAsync(100);
  expect(asked()).toBe(before + 1);
});
