// The outbox: in order, again until stored, kept over a reload, nothing twice.
import { beforeEach, expect, it, vi } from "vitest";
import { Away, Refused, type Annotation, type BatchAnswer } from "../../api";
import { openKept, type Kept } from "../browser";
import { Outbox, type Outgoing } from "./outbox";

const COUNTS = { positives: 0, negatives: 0, skipped: 0, left: 0 };
const PREFIX = "run:";

type Send = (annotations: readonly Annotation[]) => Promise<BatchAnswer>;

const stored = ({ id, image, label }: Annotation) => ({ id, image, label, status: 201 as const });
const storing: Send = (annotations) => Promise.resolve({ ...COUNTS, results: annotations.map(stored) });
const failing: Send = () => Promise.reject(new Away("net"));

function outgoing(image: number, group?: string): Outgoing {
  const annotation: Annotation = {
    image,
    label: "positive",
    source: "key",
    client: "c",
    shown_ms: 5,
    id: `id-${image}`,
    ...(group === undefined ? {} : { group }),
  };
  return { annotation, queued: { image, path: `${image}.jpg`, probability: null, version: "v" } };
}

let kept: Kept;

async function opened(send: Send) {
  const seen = { stored: [] as number[], refused: [] as string[], troubles: 0, waiting: 0 };
  const outbox = await Outbox.open(PREFIX, kept, {
    send,
    onStored: (stored) => seen.stored.push(...stored.map(({ queued }) => queued.image)),
    onRefused: (_, error) => seen.refused.push(error.message),
    onTrouble: () => (seen.troubles += 1),
    onChange: (waiting) => (seen.waiting = waiting),
  });
  return { outbox, seen };
}

const keptKeys = async (prefix = PREFIX) => (await kept.all(prefix)).map(([key]) => key);

beforeEach(async () => {
  kept = await openKept();
});

it("sends in order, what came meanwhile together, and forgets what is stored", async () => {
  const sent: number[][] = [];
  const { outbox, seen } = await opened(async (annotations) => {
    sent.push(annotations.map(({ image }) => image));
    return storing(annotations);
  });
  for (const image of [3, 1, 2]) outbox.add(outgoing(image));
  expect(await outbox.idle()).toBe(true);
  expect(sent).toEqual([[3], [1, 2]]);
  expect(seen).toMatchObject({ stored: [3, 1, 2], waiting: 0 });
  expect(await keptKeys()).toEqual([]);
});

it("tries again with the same ids, on network trouble, on 503 and on a wrong token", async () => {
  const ids: string[] = [];
  const failures = [new Away("net"), new Refused(503, "disk full"), new Refused(401, "token")];
  const { outbox, seen } = await opened((annotations) => {
    ids.push(...annotations.map(({ id }) => id));
    const failure = failures.shift();
    return failure ? Promise.reject(failure) : storing(annotations);
  });
  outbox.add(outgoing(1));
  await vi.waitFor(() => {
    outbox.hurry();
    expect(seen).toMatchObject({ stored: [1], troubles: 3, waiting: 0, refused: [] });
  });
  expect(ids).toEqual(["id-1", "id-1", "id-1", "id-1"]);
});

it("drops what the server will never take, says so, and stores the rest of the batch", async () => {
  const { outbox, seen } = await opened((annotations) => {
    const isBad = annotations.some(({ image }) => image === 2);
    return isBad ? Promise.reject(new Refused(422, "No such thing.")) : storing(annotations);
  });
  for (const image of [1, 2, 3]) outbox.add(outgoing(image));
  await outbox.idle();
  expect(seen).toMatchObject({ stored: [1, 3], refused: ["No such thing."], waiting: 0 });
});

it("says of each answer in a batch what became of it", async () => {
  const { outbox, seen } = await opened((annotations) => {
    const results = annotations.map((one) =>
      one.id === "id-2" ? { id: one.id, status: 404 as const, detail: "There is no image 2." } : stored(one),
    );
    return Promise.resolve({ ...COUNTS, results });
  });
  outbox.add(outgoing(1), outgoing(2), outgoing(3));
  await outbox.idle();
  expect(seen).toMatchObject({ stored: [1, 3], refused: ["There is no image 2."], waiting: 0 });
});

it("keeps what waits for the next page, in order and with its ids", async () => {
  const { outbox } = await opened(failing);
  for (const image of [5, 4, 6]) outbox.add(outgoing(image));
  outbox.close();
  const ids: string[] = [];
  const { outbox: next, seen } = await opened((annotations) => {
    ids.push(...annotations.map(({ id }) => id));
    return storing(annotations);
  });
  await next.idle();
  expect(ids).toEqual(["id-5", "id-4", "id-6"]);
  expect(seen.stored).toEqual([5, 4, 6]);
});

it("throws away what cannot be read and leaves other runs alone", async () => {
  kept.put("run:1", "{torn");
  kept.put("other:1", outgoing(1));
  const { outbox } = await opened(storing);
  expect(outbox.waiting).toBe(0);
  expect(await keptKeys()).toEqual([]);
  expect(await keptKeys("other:")).toEqual(["other:1"]);
});

it("gives back the last answer only while it cannot be on the server", async () => {
  const { outbox, seen } = await opened(failing);
  outbox.add(outgoing(1));
  outbox.add(outgoing(2));
  expect(outbox.takeBack()?.map(({ queued }) => queued.image)).toEqual([2]);
  expect(outbox.takeBack()).toBeNull(); // 1 was sent; whether it arrived nobody knows
  expect(seen.waiting).toBe(1);
  outbox.close();
  const { outbox: next } = await opened(storing);
  expect(next.takeBack()).toBeNull(); // it may have been sent before the reload
});

it("gives back what was answered while the server is away, also after more attempts", async () => {
  const { outbox, seen } = await opened(failing);
  for (const image of [1, 2, 3]) outbox.add(outgoing(image));
  await outbox.idle();
  outbox.hurry();
  await vi.waitFor(() => expect(seen.troubles).toBeGreaterThan(1));
  expect(outbox.takeBack()?.map(({ queued }) => queued.image)).toEqual([3]);
  outbox.close();
});

it("gives back a group as a whole, and never sends it in two parts", async () => {
  const sizes: number[] = [];
  const { outbox } = await opened((annotations) => {
    sizes.push(annotations.length);
    return storing(annotations);
  });
  outbox.add(outgoing(1));
  outbox.add(outgoing(2, "g"), outgoing(3, "g"));
  expect(outbox.takeBack()?.map(({ queued }) => queued.image)).toEqual([2, 3]);
  const singles = Array.from({ length: 45 }, (_, place) => outgoing(10 + place));
  outbox.add(...singles, ...Array.from({ length: 12 }, (_, place) => outgoing(60 + place, "h")));
  await outbox.idle();
  expect(sizes).toEqual([1, 57]);
});

it("sends an answer to many images alone, in its turn, and gives it back as one", async () => {
  const sent: (readonly number[])[] = [];
  const { outbox } = await opened((annotations) => {
    sent.push(annotations.map(({ image }) => image));
    return storing(annotations);
  });
  const many = (image: number) => {
    const { annotation, queued } = outgoing(image);
    return { annotation: { ...annotation, images: [image, image + 1] }, queued };
  };
  outbox.add(outgoing(1));
  outbox.add(outgoing(2), many(10), outgoing(3), many(20));
  expect(outbox.takeBack()?.map(({ annotation }) => annotation.images)).toEqual([[20, 21]]);
  await outbox.idle();
  expect(sent).toEqual([[1], [2], [10], [3]]);
});

it("tells those who wait whether all is stored", async () => {
  const { outbox } = await opened((annotations) =>
    annotations.some(({ image }) => image === 2) ? failing(annotations) : storing(annotations),
  );
  expect(await outbox.idle()).toBe(true);
  outbox.add(outgoing(1));
  expect(await outbox.idle()).toBe(true);
  outbox.add(outgoing(2));
  expect(await outbox.idle()).toBe(false);
});

it("works without a database", async () => {
  vi.stubGlobal("indexedDB", { open: () => failingRequest() });
  kept = await openKept();
  const { outbox, seen } = await opened(storing);
  outbox.add(outgoing(1));
  await outbox.idle();
  expect(seen.stored).toEqual([1]);
  vi.unstubAllGlobals();
});

function failingRequest(): never {
  throw new DOMException("storage is forbidden", "SecurityError");
}
