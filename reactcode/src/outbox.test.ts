// The outbox: in order, again until stored, kept over a reload, nothing twice.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Away, Refused, type Annotation, type Counts } from "./api";
import { Outbox, type Outgoing } from "./outbox";
import { browserStorage } from "./storage";

const COUNTS: Counts = { positives: 0, negatives: 0, skipped: 0, left: 0 };

function outgoing(image: number): Outgoing {
  const annotation = {
    image,
    label: "positive",
    source: "key",
    client: "c",
    shown_ms: 5,
    id: `id-${image}`,
  } as const;
  return { annotation, queued: { image, path: `${image}.jpg`, probability: null, version: "v" } };
}

function opened(send: (annotation: Annotation) => Promise<Counts>) {
  const seen = { stored: [] as number[], refused: [] as string[], troubles: 0, waiting: 0 };
  const outbox = new Outbox("ia:outbox:run:", browserStorage, {
    send,
    onStored: ({ annotation }) => seen.stored.push(annotation.image),
    onRefused: (_, error) => seen.refused.push(error.message),
    onTrouble: () => (seen.troubles += 1),
    onChange: (waiting) => (seen.waiting = waiting),
  });
  return { outbox, seen };
}

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it("sends one at a time, in order", async () => {
  const sent: number[] = [];
  const done: ((counts: Counts) => void)[] = [];
  const { outbox, seen } = opened((annotation) => {
    sent.push(annotation.image);
    return new Promise((resolve) => done.push(resolve));
  });
  for (const image of [3, 1, 2]) outbox.add(outgoing(image));
  expect(sent).toEqual([3]);
  for (const turn of [0, 1, 2]) {
    done[turn]?.(COUNTS);
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(seen.stored).toEqual([3, 1, 2]);
  expect(localStorage.length).toBe(0);
});

it("tries again with the same id, later and later, on network trouble and on 503", async () => {
  const ids: string[] = [];
  const failures = [new Away("net"), new Refused(503, "disk full"), new Refused(401, "token")];
  const { outbox, seen } = opened((annotation) => {
    ids.push(annotation.id);
    const failure = failures.shift();
    return failure ? Promise.reject(failure) : Promise.resolve(COUNTS);
  });
  outbox.add(outgoing(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(ids).toEqual(["id-1", "id-1", "id-1", "id-1"]);
  expect(seen).toMatchObject({ stored: [1], troubles: 3, waiting: 0, refused: [] });
});

it("drops what the server will never take, says so, and goes on", async () => {
  const { outbox, seen } = opened(({ image }) =>
    image === 1 ? Promise.reject(new Refused(422, "No such thing.")) : Promise.resolve(COUNTS),
  );
  outbox.add(outgoing(1));
  outbox.add(outgoing(2));
  await vi.advanceTimersByTimeAsync(0);
  expect(seen).toMatchObject({ stored: [2], refused: ["No such thing."], waiting: 0 });
});

it("keeps what waits for the next page, in order and with its ids", async () => {
  const { outbox } = opened(() => Promise.reject(new Away("net")));
  for (const image of [5, 4, 6]) outbox.add(outgoing(image));
  await vi.advanceTimersByTimeAsync(0);
  outbox.close();
  const ids: string[] = [];
  const { outbox: next, seen } = opened((annotation) => {
    ids.push(annotation.id);
    return Promise.resolve(COUNTS);
  });
  next.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(ids).toEqual(["id-5", "id-4", "id-6"]);
  expect(seen.stored).toEqual([5, 4, 6]);
});

it("throws away what cannot be read and leaves other runs alone", () => {
  localStorage.setItem("ia:outbox:run:1", "{torn");
  localStorage.setItem("ia:outbox:other:1", JSON.stringify(outgoing(1)));
  const { outbox } = opened(() => Promise.resolve(COUNTS));
  expect(outbox.waiting).toBe(0);
  expect(localStorage.length).toBe(1);
});

it("gives back the last answer only while it cannot be on the server", async () => {
  const { outbox, seen } = opened(() => Promise.reject(new Away("net")));
  outbox.add(outgoing(1));
  outbox.add(outgoing(2));
  await vi.advanceTimersByTimeAsync(0);
  expect(outbox.takeBack()?.annotation.image).toBe(2);
  expect(outbox.takeBack()).toBeNull(); // 1 was sent; whether it arrived nobody knows
  expect(seen.waiting).toBe(1);
  outbox.close();
  const { outbox: next } = opened(() => Promise.resolve(COUNTS));
  expect(next.takeBack()).toBeNull(); // it may have been sent before the reload
});

it("tells those who wait whether all is stored", async () => {
  const { outbox } = opened(({ image }) =>
    image === 1 ? Promise.resolve(COUNTS) : Promise.reject(new Away("net")),
  );
  expect(await outbox.idle()).toBe(true);
  outbox.add(outgoing(1));
  expect(await outbox.idle()).toBe(true);
  outbox.add(outgoing(2));
  expect(await outbox.idle()).toBe(false);
});

it("does not need storage to work", async () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  const { outbox, seen } = opened(() => Promise.resolve(COUNTS));
  outbox.add(outgoing(1));
  await vi.advanceTimersByTimeAsync(0);
  expect(seen.stored).toEqual([1]);
});
