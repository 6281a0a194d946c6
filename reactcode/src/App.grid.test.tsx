// The grid and the strip of the last answers, in the whole page against a fake server.
import { act, cleanup, configure, fireEvent, render, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "./App";
import { FakeServer } from "./testing/fakeServer";

configure({ asyncUtilTimeout: 4_000 });
vi.setConfig({ testTimeout: 20_000 });

let server: FakeServer;

const find = (id: string) => document.getElementById(id);
const text = (id: string) => find(id)?.textContent;
const press = (key: string, init: KeyboardEventInit = {}) =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key, ...init });
const cells = () => [...document.querySelectorAll<HTMLElement>("#grid .grid-cell")];
const images = () => cells().map(({ dataset }) => Number(dataset["image"]));
const marks = () => cells().map(({ dataset }) => dataset["mark"] ?? "");
const stored = () => server.stored.map(({ image, label }) => [image, label]);
const tally = () => find("store")?.querySelector(".name")?.textContent;
const live = () => document.querySelector("[aria-live]")?.textContent;
const thumbnails = () => [...document.querySelectorAll<HTMLElement>("#history .thumbnail")];

async function painted(image: number): Promise<void> {
  await waitFor(() => {
    expect(find("image")?.dataset).toMatchObject({ painted: "true", image: String(image) });
  });
}

/** A server whose model leans to no side. */
function unsure(images?: number): FakeServer {
  const server = new FakeServer(images);
  server.probabilityOf = () => 0.4;
  return server;
}

/** Until these images are in the grid, and on the screen. */
async function gridOf(...expected: number[]): Promise<void> {
  await waitFor(() => {
    expect(images()).toEqual(expected);
    expect(cells().every(({ dataset }) => dataset["painted"] === "true")).toBe(true);
  });
}

async function opened(size = 4): Promise<void> {
  localStorage.setItem("ia:grid", String(size));
  render(<App />);
  await painted(0);
  press("g");
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, place) => first + place);

/** Hold the left arrow until this image is there. */
async function walkedTo(image: number): Promise<void> {
  await waitFor(
    () => {
      press("ArrowLeft", { repeat: true });
      expect(find("image")?.dataset["image"]).toBe(String(image));
    },
    { timeout: 15_000, interval: 1 },
  );
  await painted(image);
}

/** Answer the first image of the page; it takes answers once its outbox is open. */
async function answeredFirst(key: string): Promise<void> {
  await painted(0);
  await waitFor(() => {
    press(key);
    expect(find("image")?.dataset["image"]).not.toBe("0");
  });
}

beforeEach(() => {
  localStorage.clear();
  server = unsure();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("the grid", () => {
  it("answers what is marked as positive and the rest as negative: in order, as one group, in one request", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("2");
    fireEvent.click(cells()[3]!);
    press("Enter");
    expect(images()).toEqual([4, 5, 6, 7]); // at once
    await waitFor(() =>
      expect(server.received.map(({ image, label, source }) => [image, label, source])).toEqual([
        [0, "negative", "grid"],
        [1, "positive", "grid"],
        [2, "negative", "grid"],
        [3, "positive", "grid"],
      ]),
    );
    expect(new Set(server.received.map(({ group }) => group)).size).toBe(1);
    expect(server.received[0]?.group).toBeDefined();
    expect(server.received.every(({ shown_ms }) => Number.isInteger(shown_ms))).toBe(true);
    expect(server.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    expect(live()).toBe("4 answered: 2 hat");
  });

  it("has the next grid's pictures before it is shown", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    await waitFor(() =>
      expect(server.requests).toEqual(
        expect.arrayContaining([4, 5, 6, 7].map((image) => `GET /api/images/${image}`)),
      ),
    );
    press("Enter");
    expect(cells().every((cell) => cell.querySelector("img") !== null)).toBe(true);
  });

  it("is answered once by an Enter that is held, and by the button that says what it does", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("Enter", { repeat: true });
    expect(server.received).toEqual([]);
    expect(tally()).toBe("0 hat, 4 no hat");
    press("2");
    press("s");
    press("3");
    expect(tally()).toBe("1 hat, 2 no hat, 1 skipped");
    fireEvent.click(find("store")!);
    await waitFor(() => expect(server.received).toHaveLength(4));
    expect(server.received.every(({ source }) => source === "grid")).toBe(true);
  });

  it("asks for more like the image in focus, and says how to choose one", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("m");
    expect(text("note")).toContain("Choose an image first");
    press("d");
    expect(text("note")).toContain("Choose an image first");
    cells()[2]!.focus();
    press("m");
    await waitFor(() => expect(server.liked).toEqual([2]));
    press("d");
    expect(text("note")).toBe("This image has no near duplicates.");
  });

  it("comes back as a whole by one Backspace, with its marks", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("1");
    press("s");
    press("3");
    press("Enter");
    await waitFor(() => expect(stored()).toHaveLength(4));
    press("Backspace");
    await gridOf(0, 1, 2, 3);
    expect(marks()).toEqual(["positive", "", "skipped", ""]);
    expect(stored()).toEqual([]);
    press("Enter");
    await waitFor(() =>
      expect(stored()).toEqual([
        [0, "positive"],
        [1, "negative"],
        [2, "skipped"],
        [3, "negative"],
      ]),
    );
  });

  it("comes back out of the outbox while the server is away", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    server.failure = 0;
    fireEvent.contextMenu(cells()[1]!);
    press("Enter");
    await gridOf(4, 5, 6, 7);
    press("4");
    press("Enter");
    await waitFor(() => expect(images()[0]).toBe(8));
    press("Backspace");
    await gridOf(4, 5, 6, 7);
    expect(marks()).toEqual(["", "", "", "positive"]);
    server.failure = null;
    await waitFor(() => expect(stored()).toHaveLength(4), { timeout: 3000 });
    expect(stored()[1]).toEqual([1, "skipped"]);
  });

  it("puts an image answered before into its first cell when that is taken back", async () => {
    localStorage.setItem("ia:grid", "4");
    render(<App />);
    await answeredFirst("j");
    await waitFor(() => expect(stored()).toHaveLength(1));
    press("g");
    await gridOf(1, 2, 3, 4);
    press("Backspace");
    await gridOf(0, 1, 2, 3);
  });

  it("leaves out what is not painted yet, and asks it again first", async () => {
    server = unsure(40);
    await opened();
    await gridOf(0, 1, 2, 3);
    server.picturesHeld = true;
    server.order = [0, 1, 2, 3, 4, 35, 36, 37, 38, 39];
    server.changes = { ranking: { generation: 5, labels: 3 } };
    act(() => server.push());
    await waitFor(() => expect(server.requests).toContain("GET /api/images/37"));
    press("Enter");
    await waitFor(() => expect(cells()[0]?.dataset["painted"]).toBe("true"));
    expect(images()).toEqual([4, 35, 36, 37]);
    press("2"); // it is not there: nobody can mean it
    press("Enter");
    await waitFor(() => expect(stored()).toHaveLength(5));
    expect(stored()[4]).toEqual([4, "negative"]);
    act(() => server.letPicturesGo());
    await gridOf(35, 36, 37, 38);
    expect(marks()).toEqual(["", "", "", ""]);
  });

  it("passes over what cannot be read", async () => {
    for (const image of [1, 5]) server.unreadable.add(image);
    server.order = [0, 1, 2, 3, 4, 5, 6, 7];
    vi.spyOn(server as unknown as { queue: () => unknown }, "queue").mockImplementation(() => ({
      images: server.order
        .filter((image) => !server.stored.some((answer) => answer.image === image))
        .map((image) => ({ image, path: `folder/${image}.jpg`, probability: null, version: "v" })),
      ranking: null,
      left: server.status.left,
    }));
    await opened();
    await waitFor(() => expect(images()).toHaveLength(4));
    await waitFor(() => expect(images()).not.toContain(1));
    await gridOf(...images());
    press("Enter");
    await waitFor(() => expect(stored()).toHaveLength(4));
    expect(stored().map(([image]) => image)).not.toContain(1);
  });

  it("gets smaller at the end, and then says that all is answered", async () => {
    server = unsure(5);
    await opened();
    await gridOf(0, 1, 2, 3);
    press("Enter");
    await gridOf(4);
    press("Enter");
    await waitFor(() => expect(find("scene")?.dataset["scene"]).toBe("done"));
    press("Backspace");
    await gridOf(4);
  });

  it("takes the place of a digit where the layout needs Shift for it", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("&", { code: "Digit1" });
    press("3", { code: "Numpad3" });
    expect(marks()).toEqual(["positive", "", "positive", ""]);
  });

  it("is worked by arrows and named for a screen reader", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("ArrowRight");
    press("ArrowRight");
    expect(document.activeElement).toBe(cells()[1]);
    fireEvent.click(cells()[1]!, { detail: 0 }); // what Space does
    expect(cells()[1]?.getAttribute("aria-pressed")).toBe("true");
    expect(cells()[1]?.getAttribute("aria-label")).toBe("2: folder/1.jpg, hat");
    expect(cells()[0]?.getAttribute("aria-label")).toBe("1: folder/0.jpg");
    press("Enter");
    await waitFor(() => expect(stored()[1]).toEqual([1, "positive"]));
  });

  it("has as many cells as were chosen, also next time", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("+");
    await gridOf(0, 1, 2, 3, 4, 5);
    press("-", { code: "NumpadSubtract" });
    await gridOf(0, 1, 2, 3);
    fireEvent.change(find("grid-size")!, { target: { value: "9" } });
    await gridOf(0, 1, 2, 3, 4, 5, 6, 7, 8);
    expect(localStorage.getItem("ia:grid")).toBe("9");
  });

  it("is left by G and by Escape without losing anything", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("2");
    press("g");
    await painted(0);
    press("f");
    await painted(1);
    fireEvent.click(find("grid-door")!);
    await gridOf(1, 2, 3, 4);
    expect(marks()).toEqual(["positive", "", "", ""]);
    press("Escape");
    await painted(1);
    await waitFor(() => expect(stored()).toEqual([[0, "positive"]]));
  });

  it("takes no answer for the image behind it", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("f");
    press("j");
    press(" ");
    fireEvent.click(find("tools")!);
    press("f");
    press("1");
    expect(marks()[0]).toBe("positive");
    expect(server.received).toEqual([]);
  });
});

describe("the model's marks", () => {
  /** Eight images it is sure of, then some that it is not. */
  const sure = (image: number) => (image < 8 ? 0.96 + (image % 3) / 100 : 0.4);

  it("stand when the grid opens; the button says what it stores, and follows each mark", async () => {
    server.probabilityOf = (image) => (image === 3 ? null : image < 2 ? 0.97 : 0.2);
    await opened();
    await gridOf(0, 1, 2, 3);
    expect(marks()).toEqual(["positive", "positive", "", ""]);
    expect(tally()).toBe("2 hat, 2 no hat");
    expect(document.querySelector(".hint")?.textContent).toBe("The model marked “hat”: check each");
    press("4");
    expect(tally()).toBe("3 hat, 1 no hat");
    press("Enter");
    await waitFor(() =>
      expect(stored().map(([, label]) => label)).toEqual(["positive", "positive", "negative", "positive"]),
    );
  });

  it("taken away from a whole page are asked about: Escape goes back, and it is not asked again", async () => {
    server.probabilityOf = sure;
    await opened();
    await gridOf(0, 1, 2, 3);
    cells()[2]!.focus();
    for (const key of "1234") press(key);
    press("Enter");
    expect(document.activeElement).toBe(find("against"));
    expect(text("against-what")).toBe(
      "Against the model: 4 “no hat” that it calls “hat” (96 to 98 %). Is that right?",
    );
    expect(cells().map(({ dataset }) => dataset["against"])).toEqual(Array(4).fill("true"));
    press("Enter", { repeat: true }); // still the same press
    expect(find("against")).not.toBeNull();
    press("Escape");
    expect(find("against")).toBeNull();
    expect(document.activeElement).toBe(cells()[2]);
    expect([images(), marks()]).toEqual([
      [0, 1, 2, 3],
      ["", "", "", ""],
    ]);
    expect(server.received).toEqual([]);
    press("Enter");
    await waitFor(() => expect(stored()).toHaveLength(4));
  });

  it("taken away are stored by a second Enter, by the button, and not before", async () => {
    server.probabilityOf = sure;
    await opened();
    await gridOf(0, 1, 2, 3);
    for (const key of "123") press(key);
    press("Enter");
    press("Enter");
    await gridOf(4, 5, 6, 7);
    await waitFor(() =>
      expect(stored().map(([, label]) => label)).toEqual([...Array<string>(3).fill("negative"), "positive"]),
    );
    for (const key of "123") press(key);
    fireEvent.click(find("store")!);
    expect(tally()).toBe("Yes: 1 hat, 3 no hat");
    press("1"); // a mark is a way back, too
    expect(find("against")).toBeNull();
    fireEvent.click(find("store")!);
    await waitFor(() => expect(stored()).toHaveLength(8));
  });

  it("and questions are none while probabilities are hidden", async () => {
    server.probabilityOf = sure;
    localStorage.setItem("ia:blind", "true");
    await opened();
    await gridOf(0, 1, 2, 3);
    expect(marks()).toEqual(["", "", "", ""]);
    press("Enter");
    await waitFor(() => expect(stored()).toHaveLength(4));
    press("b");
    await gridOf(4, 5, 6, 7);
    expect(marks()).toEqual(Array(4).fill("positive"));
  });
});

describe("the last answers", () => {
  it("stand as thumbnails, newest first, and open at full size", async () => {
    server.stored = [{ image: 10, label: "skipped", group: "g" }];
    render(<App />);
    await waitFor(() => expect(thumbnails()).toHaveLength(1));
    expect(thumbnails()[0]?.querySelector("img")?.getAttribute("src")).toBe(
      "api/images/10?size=128&version=v",
    );
    await answeredFirst("f");
    await painted(1);
    press("j");
    await painted(2);
    expect(thumbnails().map((thumbnail) => thumbnail.getAttribute("aria-label"))).toEqual([
      "folder/1.jpg: no hat",
      "folder/0.jpg: hat",
      "folder/10.jpg: skipped",
    ]);
    await waitFor(() => expect(thumbnails()[1]?.querySelector("[data-drawn]")).not.toBeNull()); // without a request
    fireEvent.click(thumbnails()[1]!);
    await painted(0);
    expect(thumbnails()[1]?.getAttribute("aria-current")).toBe("true");
    press("j");
    expect(thumbnails()[1]?.getAttribute("aria-label")).toBe("folder/0.jpg: no hat");
  });

  it("tell AUTO's from a person's, until the person changes them", async () => {
    render(<App />);
    await painted(0);
    fireEvent.change(find("speed")!, { target: { value: "10" } });
    press("a");
    await waitFor(() => expect(thumbnails().length).toBeGreaterThan(0), { timeout: 3000 });
    press("a");
    const first = () => thumbnails().at(-1)!;
    expect(first().dataset["timeout"]).toBe("true");
    fireEvent.click(first());
    await painted(0);
    press("f");
    expect(first().dataset["timeout"]).toBe("false");
  });

  it("open from the grid, and lead back to it", async () => {
    await opened();
    await gridOf(0, 1, 2, 3);
    press("Enter");
    await gridOf(4, 5, 6, 7);
    fireEvent.click(thumbnails()[0]!);
    await painted(3);
    press("f");
    press("Escape");
    await gridOf(4, 5, 6, 7);
    await waitFor(() => expect(stored().at(-1)).toEqual([3, "positive"]));
  });

  it("are walked through to the very first, also through more than fifty, each with its neighbours at hand", async () => {
    server = unsure(200);
    server.stored = range(100, 160).map((image) => ({ image, label: "negative", group: `${image}` }));
    render(<App />);
    await painted(0);
    await walkedTo(100);
    expect(text("walk")).toContain("answer 1 of 61");
    for (const image of [101, 102]) expect(server.requests).toContain(`GET /api/images/${image}`);
    press("ArrowRight");
    await painted(101);
    press("f");
    await waitFor(() => expect(server.stored.at(-1)).toMatchObject({ image: 101, label: "positive" }));
  });

  it("of others, given meanwhile, do not stop the walk", async () => {
    server = unsure(300);
    server.stored = range(100, 160).map((image) => ({ image, label: "negative", group: `${image}` }));
    render(<App />);
    await painted(0);
    await waitFor(() => expect(thumbnails()).toHaveLength(12));
    const others = range(200, 255).map((image) => ({ image, label: "negative" as const, group: `${image}` }));
    server.stored = [...server.stored, ...others];
    await walkedTo(100);
  });
});
