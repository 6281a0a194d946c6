// AUTO through the engine: whose press it was, what is shown once more, what is asked again, when it offers to stop.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Engine } from "../engine";
import { perform } from "../keys";
import { keyOf, shownOf } from "../session";
import { FakeServer } from "../../testing/fakeServer";

const AT_5_MS = 200;

let server: FakeServer;
let engine: Engine;
let stop: () => void;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.99);
  localStorage.clear();
  server = new FakeServer(60);
  engine = new Engine();
  stop = engine.start();
  await vi.advanceTimersByTimeAsync(300);
  engine.setSpeed(5);
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const shown = () => shownOf(engine.state);
const image = () => shown()?.image;
const label = (wanted: number) => engine.state.past.find((entry) => entry.image === wanted)?.label;

/** What the stage says once it has painted. */
function paint(): void {
  const now = shown();
  if (now && engine.state.painted === null) engine.dispatch({ type: "painted", key: keyOf(now) });
}

/** Let time pass, and paint what comes; the person moves a little. */
async function pass(time_ms: number): Promise<void> {
  for (let spent_ms = 0; spent_ms < time_ms; spent_ms += 10) {
    paint();
    engine.autopilot.sign();
    await vi.advanceTimersByTimeAsync(10);
  }
  paint();
}

/** AUTO runs, and this image has just appeared. */
async function running(until: number): Promise<void> {
  paint();
  perform(engine, "auto", "key");
  for (let turn = 0; turn < 1000 && image() !== until; turn += 1) await pass(10);
  expect(image()).toBe(until);
}

it("gives a press right after a change to the image before, says so, and X gives it to the one on the screen", async () => {
  engine.setSpeed(1);
  await running(2);
  await pass(60);
  engine.answer("positive", "key");
  expect(label(1)).toBe("positive");
  expect(image()).toBe(2); // its time goes on
  expect(engine.state.late).toMatchObject({ queued: { image: 1 }, back: 1, onScreen: { image: 2 } });
  perform(engine, "mine", "key");
  expect([label(1), label(2)]).toEqual(["negative", "positive"]);
  expect(engine.state.late).toBeNull();
  await pass(500);
  expect(server.stored.filter((answer) => answer.label === "positive").map((answer) => answer.image)).toEqual(
    [2],
  );
});

it("shows what a press in a fast series may have been for once more, and learns from a press in peace", async () => {
  await running(4);
  await pass(100);
  engine.answer("positive", "key");
  const first = engine.state.past.find((entry) => entry.label === "positive")?.image;
  const again = engine.state.queue.filter((asked) => asked.again === "inPeace").map((asked) => asked.image);
  expect(again[0]).toBe(first);
  expect(again.length).toBeGreaterThan(1);
  await pass(2 * AT_5_MS);
  expect(shown()).toMatchObject({ image: first, again: "inPeace" });
  const { length } = server.received;
  while (image() === first) await pass(50);
  expect(server.received).toHaveLength(length); // passed in peace: that is no answer
  const second = image()!;
  await pass(450);
  engine.answer("positive", "key");
  await pass(500);
  expect([label(second), label(first!)]).toEqual(["positive", "negative"]);
  expect(engine.state.queue.some((asked) => asked.again)).toBe(false);
});

it("gives a negative in a slow series to the image on the screen", async () => {
  engine.setSpeed(0.5);
  await running(1);
  await pass(450);
  engine.answer("negative", "key");
  expect(image()).toBe(2);
  await pass(300);
  expect(server.received.at(-1)).toMatchObject({ image: 1, label: "negative", source: "key" });
});

it("asks some of its own answers again, later and without a word", async () => {
  const chance = vi.spyOn(Math, "random").mockReturnValue(0.01);
  await running(1);
  chance.mockReturnValue(0.99);
  const repeated = () => server.received.filter((annotation) => annotation.repeat);
  while (repeated().length === 0) await pass(50);
  expect(repeated().map((annotation) => [annotation.image, annotation.label])).toEqual([[0, "negative"]]);
  expect(server.received.length).toBeGreaterThan(20);
  await pass(1000);
  expect(repeated()).toHaveLength(1);
});

it("offers to stop when hardly anything comes any more, once", async () => {
  server.order = [...server.order].reverse(); // the fake model gives image n a probability of n %
  engine.setSpeed(10);
  server.changes = { ranking: { generation: 2, labels: 5 } };
  server.push();
  await vi.advanceTimersByTimeAsync(500);
  paint();
  perform(engine, "auto", "key");
  while (!engine.state.offer && engine.state.queue.length > 3) await pass(50);
  expect(engine.state.offer).toBe(true);
  expect(image()).toBeLessThan(30);
  engine.autopilot.goOn();
  expect(engine.state.offer).toBe(false);
  await pass(200);
  expect(engine.state.offer).toBe(false);
});

it("forgets open presses when something is taken back", async () => {
  await running(4);
  await pass(100);
  engine.answer("positive", "key");
  await engine.history.undo();
  expect(engine.state.queue.some((asked) => asked.again === "inPeace")).toBe(false);
});

/** Nobody is there; AUTO runs at its slowest until something comes true, for five minutes at most. */
async function alone(until: () => boolean): Promise<void> {
  engine.setSpeed(0.2);
  paint();
  perform(engine, "auto", "key");
  for (let turn = 0; turn < 600 && !until(); turn += 1) {
    await vi.advanceTimersByTimeAsync(500);
    paint();
  }
}

it("asks after three minutes without a sign, and warns before", async () => {
  server.probabilityOf = () => 0.5;
  let warned_ms = 0;
  await alone(() => {
    if (warned_ms === 0 && engine.autopilot.isAboutToAsk) warned_ms = engine.autopilot.idle_ms;
    return engine.state.idle;
  });
  expect([engine.state.idle, engine.autopilot.isAboutToAsk]).toEqual([true, false]);
  expect(Math.round(engine.autopilot.idle_ms / 1000)).toBe(180);
  expect(Math.round(warned_ms / 1000)).toBe(175);
  expect(engine.image_ms()).toBeGreaterThan(4_500); // although nobody gave a sign
  expect(engine.worked_ms()).toBeGreaterThan(170_000);
});

it("never asks where the run is set so", async () => {
  server.probabilityOf = () => 0.5;
  server.changes = { auto_idle: 0 };
  server.push();
  await alone(() => engine.state.idle || engine.autopilot.isAboutToAsk);
  expect(engine.autopilot.idle_ms).toBeGreaterThan(200_000);
});
