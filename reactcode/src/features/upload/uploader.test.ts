// Sending files: a few at a time, again when the server was away, and what becomes of each is counted.
import { afterEach, expect, it, vi } from "vitest";
import * as api from "../../api";
import { Uploader, type Uploading } from "./uploader";

const files = (...names: string[]) => names.map((name) => ({ file: new File(["abcd"], name), name }));
const became = (some: Partial<Record<keyof api.Uploaded, readonly string[]>>): api.Uploaded => {
  const named = (names: readonly string[] = []) => ({
    files: names.length,
    first: Object.fromEntries(names.map((name) => [name, "because"])),
  });
  const { added = [], duplicates, refused, unreadable } = some;
  return {
    added: { files: added.length, first: added },
    duplicates: named(duplicates),
    refused: named(refused),
    unreadable: named(unreadable),
  };
};

afterEach(() => vi.restoreAllMocks());

async function over(uploader: Uploader, seen: () => Uploading | undefined): Promise<Uploading> {
  await vi.waitFor(() => expect(seen()?.isOver).toBe(true));
  const last = seen();
  if (last === undefined) throw new Error(`nothing was seen of ${typeof uploader}`);
  return last;
}

it("sends all, three at a time, and counts what became of them", async () => {
  let now = 0;
  let most = 0;
  vi.spyOn(api, "upload").mockImplementation(async (_, name, __, onSent) => {
    now += 1;
    most = Math.max(most, now);
    await Promise.resolve();
    onSent(4);
    now -= 1;
    if (name === "2") return became({ duplicates: ["2"] });
    return became({ added: [name], unreadable: name === "4" ? ["4"] : [] });
  });
  let last: Uploading | undefined;
  const uploader = new Uploader((state) => (last = state), 0);
  uploader.add(files("1", "2", "3", "4", "5"));
  const { done, added, duplicates, refusals, bytes, sent, ...more } = await over(uploader, () => last);
  expect([done, added, duplicates, refusals, most]).toEqual([5, 4, 1, 0, 3]);
  expect([more.unreadables, more.unreadable]).toEqual([1, [["4", "because"]]]);
  expect(sent).toBe(bytes);
});

it("tries again when the server was away, and says what it refuses", async () => {
  const answers = [new api.Away("away"), new api.Refused(413, "It is larger than 500 MiB.")];
  const spy = vi
    .spyOn(api, "upload")
    .mockImplementation(() => Promise.reject(answers.shift() ?? new Error("?")));
  let last: Uploading | undefined;
  const uploader = new Uploader((state) => (last = state), 0);
  uploader.add(files("big.png"));
  expect((await over(uploader, () => last)).refused).toEqual([["big.png", "It is larger than 500 MiB."]]);
  expect(spy).toHaveBeenCalledTimes(2);
});

it("leaves out what is waiting once it is cancelled", async () => {
  let last: Uploading | undefined;
  const uploader = new Uploader((state) => (last = state), 0);
  vi.spyOn(api, "upload").mockImplementation((_, __, signal) => {
    return new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(new api.Away("stopped"))),
    );
  });
  uploader.add(files("1", "2", "3", "4", "5"));
  uploader.cancel();
  const { done, added, refusals } = await over(uploader, () => last);
  expect([done, added, refusals]).toEqual([3, 0, 0]);
});
