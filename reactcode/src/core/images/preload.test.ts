// Fetching ahead: in order, a few at once, again after network trouble, given up when there is no picture.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Queued } from "../../api";
import { Preload, sizeFor } from "./preload";

const queued = (image: number): Queued => ({ image, path: `${image}.jpg`, probability: null, version: "v" });

let answers: Map<number, () => Response>;
let asked: string[];
let seen: { decoded: number[]; unreadable: number[]; troubles: number };
let preload: Preload;

beforeEach(() => {
  vi.useFakeTimers();
  answers = new Map();
  asked = [];
  seen = { decoded: [], unreadable: [], troubles: 0 };
  preload = new Preload({
    size_px: () => 1280,
    onDecoded: ({ image }) => seen.decoded.push(image),
    onUnreadable: ({ image }) => seen.unreadable.push(image),
    onTrouble: () => (seen.troubles += 1),
  });
  vi.stubGlobal("fetch", async (path: string) => {
    asked.push(path);
    await Promise.resolve();
    return (answers.get(Number(/images\/(\d+)/.exec(path)?.[1])) ?? (() => new Response("picture")))();
  });
});

afterEach(() => {
  preload.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

it("asks for the files themselves where no size is named", async () => {
  const files = new Preload({
    size_px: () => null,
    onDecoded: ({ image }) => seen.decoded.push(image),
    onUnreadable: () => undefined,
    onTrouble: () => undefined,
  });
  files.want([queued(7)]);
  await vi.advanceTimersByTimeAsync(10);
  expect([asked, seen.decoded]).toEqual([["api/images/7?version=v"], [7]]);
  files.close();
});

it("asks for a size that fills the stage, and no more than twice a screen's pixels", () => {
  expect(sizeFor(390, 600, 1)).toBe(640);
  expect(sizeFor(390, 600, 3)).toBe(1280);
  expect(sizeFor(1264, 680, 1)).toBe(1280);
  expect(sizeFor(3000, 2000, 2)).toBe(2560);
});

it("fetches what is wanted in order, at most four at once, each once", async () => {
  preload.want([5, 4, 3, 2, 1].map(queued));
  expect(asked).toEqual([5, 4, 3, 2].map((image) => `api/images/${image}?size=1280&version=v`));
  await vi.advanceTimersByTimeAsync(10);
  preload.want([4, 3, 2, 1].map(queued));
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.decoded).toEqual([5, 4, 3, 2, 1]);
  expect(asked).toHaveLength(5);
  expect(preload.element(queued(5))).not.toBeNull(); // kept for undo
});

it("takes a file that was written anew for another picture", async () => {
  preload.want([queued(1)]);
  await vi.advanceTimersByTimeAsync(10);
  expect(preload.element({ ...queued(1), version: "w" })).toBeNull();
});

it("tries again after network trouble, and never calls that unreadable", async () => {
  let failures = 6;
  answers.set(1, () => {
    if (failures-- > 0) throw new TypeError("Failed to fetch");
    return new Response("picture");
  });
  preload.want([queued(1)]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual({ decoded: [1], unreadable: [], troubles: 6 });
});

it("gives up at once what the server calls unreadable or gone, and later what it keeps failing at", async () => {
  answers.set(1, () => new Response("", { status: 415 }));
  answers.set(2, () => new Response("", { status: 404 }));
  answers.set(3, () => new Response("", { status: 500 }));
  preload.want([1, 2, 3].map(queued));
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.unreadable).toEqual([1, 2]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen.unreadable).toEqual([1, 2, 3]);
});

it("gives up bytes that are no picture", async () => {
  vi.spyOn(HTMLImageElement.prototype, "decode").mockRejectedValue(new DOMException("no", "EncodingError"));
  preload.want([queued(1)]);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.unreadable).toEqual([1]);
});

it("stops what nobody wants any more", async () => {
  preload.want([queued(1)]);
  preload.want([queued(2)]);
  await vi.advanceTimersByTimeAsync(10);
  expect(seen.decoded).toEqual([2]);
});
