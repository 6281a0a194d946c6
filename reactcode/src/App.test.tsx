// The whole page against a fake server: keys are pressed, and what arrives there is looked at.
import { act, cleanup, fireEvent, render, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "./App";
import { NO_AUDIT, RUNNING } from "./testing/answers";
import { FakeServer } from "./testing/fakeServer";

let server: FakeServer;

const find = (id: string) => document.getElementById(id);
const text = (id: string) => find(id)?.textContent;
const shown = () => Number(find("image")?.dataset["image"] ?? NaN);
const press = (key: string, init: KeyboardEventInit = {}) =>
  fireEvent.keyDown(document.body, { key, ...init });
const labels = () => server.received.map(({ image, label }) => [image, label]);

async function painted(image?: number): Promise<void> {
  await waitFor(() => {
    expect(find("image")?.dataset["painted"]).toBe("true");
    if (image !== undefined) expect(shown()).toBe(image);
  });
}

async function opened(): Promise<void> {
  render(<App />);
  await painted(0);
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("answering by key", () => {
  it("stores F as positive, J as negative and S as skipped, and moves on", async () => {
    await opened();
    for (const [image, key] of [..."fjs"].entries()) {
      await painted(image);
      press(key);
      expect(shown()).not.toBe(image); // at once
    }
    await painted(3);
    await waitFor(() =>
      expect(labels()).toEqual([
        [0, "positive"],
        [1, "negative"],
        [2, "skipped"],
      ]),
    );
    expect(
      server.received.every(({ source, shown_ms }) => source === "key" && Number.isInteger(shown_ms)),
    ).toBe(true);
    expect(["positives", "negatives", "skipped", "left", "answered"].map(text)).toEqual([
      "1",
      "1",
      "1",
      "17",
      "3",
    ]);
  });

  it("answers once however long a key is held, and never with Ctrl", async () => {
    await opened();
    press("f", { repeat: true });
    press("f", { ctrlKey: true });
    expect(shown()).toBe(0);
    press("f");
    await painted(1);
    press("f", { repeat: true });
    expect(shown()).toBe(1);
  });

  it("does nothing before the image is painted, and says so", async () => {
    server.picturesHeld = true;
    render(<App />);
    await waitFor(() => expect(text("path")).toBe("folder/0.jpg"));
    press("f");
    expect(text("note")).toBe("The image is not here yet.");
    act(() => server.letPicturesGo());
    await painted(0);
    expect(server.received).toEqual([]);
  });

  it("takes two presses within one frame for one answer", async () => {
    await opened();
    press("f");
    press("f");
    await painted(1);
    await waitFor(() => expect(labels()).toEqual([[0, "positive"]]));
  });

  it("asks for pictures by size and version, ahead of time", async () => {
    await opened();
    const pictures = server.requests.filter((request) => request.includes("/api/images/"));
    await waitFor(() => expect(new Set(pictures).size).toBeGreaterThanOrEqual(3));
  });

  it("counts a click as a button's answer", async () => {
    await opened();
    fireEvent.click(find("negative")!);
    await waitFor(() => expect(server.received[0]).toMatchObject({ label: "negative", source: "button" }));
  });
});

describe("undo", () => {
  it("takes the last answer back and shows its image at once, skips too", async () => {
    await opened();
    press("s");
    await painted(1);
    await waitFor(() => expect(server.stored).toHaveLength(1));
    press("Backspace");
    await painted(0);
    expect(server.stored).toEqual([]);
    press("f");
    await painted(1);
    await waitFor(() => expect(server.stored).toMatchObject([{ image: 0, label: "positive" }]));
  });

  it("takes an answer out of the outbox that was not sent yet", async () => {
    await opened();
    server.failure = 0;
    press("f");
    await painted(1);
    press("j");
    await painted(2);
    press("Backspace");
    await painted(1);
    server.failure = null;
    await waitFor(() => expect(labels()).toEqual([[0, "positive"]]), { timeout: 3000 });
  });

  it("says when there is nothing to take back", async () => {
    await opened();
    press("Backspace");
    await waitFor(() => expect(text("note")).toBe("There is nothing to take back."));
  });
});

describe("the server", () => {
  it("away: answers are kept, counted in the banner, and sent once when it is back", async () => {
    await opened();
    server.failure = 0;
    press("f");
    await painted(1);
    press("j");
    await painted(2);
    await waitFor(() => expect(text("banner")).toContain("(2 waiting)"));
    server.failure = null;
    await waitFor(() => expect(server.stored).toHaveLength(2), { timeout: 3000 });
    expect(find("banner")?.hidden).toBe(true);
    expect(labels()).toEqual([
      [0, "positive"],
      [1, "negative"],
    ]);
  });

  it("away and the page reloaded: nothing is lost and nothing shown twice", async () => {
    await opened();
    server.failure = 0;
    press("f");
    await painted(1);
    cleanup();
    server.failure = null;
    render(<App />);
    await painted(1);
    await waitFor(() => expect(server.stored).toMatchObject([{ image: 0, label: "positive" }]));
  });

  it("cannot store: its sentence is shown and the answer kept", async () => {
    await opened();
    server.failure = 503;
    press("f");
    await waitFor(() => expect(text("banner")).toContain("The fake server says 503."));
    server.failure = null;
    await waitFor(() => expect(server.stored).toHaveLength(1), { timeout: 3000 });
    expect(find("banner")?.hidden).toBe(true);
  });

  it("refuses an answer: one sentence, and on with the next", async () => {
    await opened();
    server.failure = 422;
    press("f");
    await waitFor(() => expect(text("note")).toContain("The fake server says 422."));
    server.failure = null;
    await painted(1);
    press("j");
    await waitFor(() => expect(labels()).toEqual([[1, "negative"]]));
  });

  it("does not know the token: says where the link is", async () => {
    await opened();
    server.failure = 401;
    press("f");
    await waitFor(() => expect(text("banner")).toContain("Open the link printed in the terminal"));
    server.failure = null;
    await waitFor(() => expect(server.stored).toHaveLength(1), { timeout: 3000 });
  });

  it("has a loop that is down: says so, but not while it starts nor without AI", async () => {
    await opened();
    server.changes = { loops: { ...RUNNING, trainer: "starting" } };
    act(() => server.push());
    expect(find("banner")?.hidden).toBe(true);
    server.changes = { loops: { ...RUNNING, trainer: "down" } };
    act(() => server.push());
    expect(text("banner")).toBe("The trainer is down; it is being restarted. You can go on answering.");
    server.changes = { loops: { trainer: "down", inference: "down", selector: "down" } };
    act(() => server.push());
    expect(text("banner")).toContain(
      "The trainer, inference and selector are down; they are being restarted.",
    );
    server.changes = { loops: { trainer: "off", inference: "off", selector: "off" }, tensorboard: false };
    act(() => server.push());
    expect(find("banner")?.hidden).toBe(true);
    expect(find("tensorboard")).toBeNull();
    expect(find("model")).toBeNull();
  });

  it("has a model: says in words whether it has learnt all it may, the figures in a title", async () => {
    await opened();
    const model = () => find("model")!.querySelector("span")!;
    server.changes = { positives: 1, negatives: 0 };
    act(() => server.push());
    expect(model().textContent).toBe("no model yet");
    expect(model().title).toBe("The model begins to learn with the first “no hat”.");
    const audit = { ...NO_AUDIT, share: 0.02, drawn: 2, to_find: { low: 0, high: 3 } };
    const learnt = { generation: 1, labels: 5, metrics: {} };
    server.changes = { positives: 4, negatives: 3, audit, model: learnt };
    act(() => server.push());
    expect(model().textContent).toBe("model: up to date");
    expect(model().title).toBe("The model has learnt 5 of 7 answers. 2 random answers are never learnt.");
    server.changes = { positives: 5, negatives: 3, audit, model: learnt };
    act(() => server.push());
    await waitFor(() => expect(model().textContent).toBe("model: learning"), { timeout: 3000 });
    server.changes = { positives: 5, negatives: 3, audit, model: { ...learnt, labels: 6 } };
    act(() => server.push());
    expect(model().textContent).toBe("model: up to date");
  });

  it("has a newer ranking: what comes after the next two follows it", async () => {
    await opened();
    server.order = [0, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10];
    server.changes = { ranking: { generation: 5, labels: 3 } };
    act(() => server.push());
    await waitFor(() => expect(server.requests).toContain("GET /api/images/19"));
    for (const image of [0, 1, 2, 19]) {
      await painted(image);
      press("j");
    }
  });

  it("cannot show an image: a note, and the next one by itself", async () => {
    server.unreadable.add(0);
    server.order = [0, 1];
    vi.spyOn(server as unknown as { queue: () => unknown }, "queue").mockReturnValue({
      images: [0, 1].map((image) => ({
        image,
        path: `folder/${image}.jpg`,
        probability: null,
        version: "v",
      })),
      ranking: null,
      left: 2,
    });
    render(<App />);
    await painted(1);
    expect(text("note")).toBe("unreadable: folder/0.jpg");
    expect(text("probability")).toBe("–");
  });
});

describe("the end", () => {
  it("says that all is answered, with counts and exports", async () => {
    server = new FakeServer(2);
    await opened();
    press("f");
    await painted(1);
    press("j");
    await waitFor(() => expect(find("scene")?.dataset["scene"]).toBe("done"));
    await waitFor(() => expect(text("scene")).toContain("2 answers: 1 hat, 1 no hat, 0 skipped"));
    expect(document.querySelector("a[href='api/export?format=csv']")).not.toBeNull();
    press("Backspace");
    await painted(1);
  });
});

describe("past answers", () => {
  it("are walked through by arrows, answered anew by key, and left by Escape", async () => {
    server.stored = [
      { image: 10, label: "negative", group: "gnegative" },
      { image: 11, label: "skipped", group: "gskipped" },
    ];
    await opened();
    press("ArrowLeft");
    await painted(11);
    expect(text("label")).toBe("skipped");
    press("ArrowLeft");
    await painted(10);
    press("f");
    expect(text("label")).toBe("hat");
    await waitFor(() => expect(labels()).toEqual([[10, "positive"]]));
    press("Escape");
    await painted(0);
  });
});

describe("AUTO", () => {
  const wait = (ms: number) => act(() => new Promise((resolve) => setTimeout(resolve, ms)));

  it("is off at first, and answers negative by timeout once it is on", async () => {
    await opened();
    expect(find("auto")?.getAttribute("aria-pressed")).toBe("false");
    fireEvent.change(find("speed")!, { target: { value: "10" } });
    press("a");
    await waitFor(() => expect(server.received.length).toBeGreaterThanOrEqual(2), { timeout: 3000 });
    press("a");
    expect(server.received[0]).toMatchObject({ image: 0, label: "negative", source: "timeout" });
    expect(server.received.every(({ shown_ms }) => (shown_ms ?? 0) >= 95)).toBe(true);
  });

  it("takes Space for positive while it runs, else for pause", async () => {
    await opened();
    press(" ");
    expect(find("pause")?.getAttribute("aria-pressed")).toBe("true");
    press("a");
    press(" ");
    await waitFor(() => expect(labels()).toEqual([[0, "positive"]]));
  });

  it("waits for a picture that is not there", async () => {
    await opened();
    fireEvent.change(find("speed")!, { target: { value: "10" } });
    server.picturesHeld = true;
    for (const image of Array(15).keys()) {
      await painted(image);
      press("j");
    }
    press("a");
    const fetched = 17;
    await waitFor(() => expect(server.received.length).toBe(fetched), { timeout: 5000 });
    await wait(500);
    expect(server.received.length).toBe(fetched);
  });

  it("stands while the tab is hidden, a dialog is open or the server is away", async () => {
    await opened();
    fireEvent.change(find("speed")!, { target: { value: "10" } });
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    fireEvent(document, new Event("visibilitychange"));
    press("a");
    await wait(400);
    visibility.mockReturnValue("visible");
    press("?");
    fireEvent(document, new Event("visibilitychange"));
    await wait(400);
    server.failure = 0;
    act(() => server.breakStream());
    await wait(50);
    press("?");
    await wait(400);
    expect(server.received).toEqual([]);
  });

  it("stands while it is paused; Space goes on", async () => {
    await opened();
    fireEvent.change(find("speed")!, { target: { value: "10" } });
    press("a");
    fireEvent.click(find("pause")!);
    expect(find("veil")).not.toBeNull();
    press("f");
    await wait(400);
    expect(server.received).toEqual([]);
    press(" ");
    expect(find("veil")).toBeNull();
    await waitFor(() => expect(server.received.length).toBeGreaterThan(1));
    expect(labels().every(([, label]) => label === "negative")).toBe(true);
  });

  it("goes faster and slower by the arrows", async () => {
    await opened();
    press("ArrowUp");
    expect(find("speed")).toHaveProperty("value", "1.5");
    press("ArrowDown");
    press("ArrowDown");
    expect(find("speed")).toHaveProperty("value", "0.7");
  });
});

describe("a pause", () => {
  it("covers the image, and takes no answer and no undo until Space goes on", async () => {
    await opened();
    press("f");
    await painted(1);
    find("auto")!.focus();
    fireEvent.click(find("pause")!);
    expect(text("paused")).toBe("Paused. Space goes on");
    expect(document.activeElement).toBe(find("veil"));
    expect(document.querySelector("[aria-live]")?.textContent).toBe("Paused. Space goes on.");
    for (const key of ["f", "j", "s", "Backspace", "ArrowLeft", "z"]) press(key);
    for (const id of ["positive", "negative", "skip", "undo"])
      expect(find(id)).toHaveProperty("disabled", true);
    fireEvent.click(document.querySelector("#history .thumbnail")!);
    expect(text("note")).toBe("Paused: go on first.");
    fireEvent.animationEnd(find("note")!);
    expect(find("note")).toBeNull();
    expect([shown(), find("walk")]).toEqual([1, null]);
    await waitFor(() => expect(server.received).toHaveLength(1));
    press("?");
    expect(document.querySelector("dialog.help")).not.toBeNull();
    press("?");
    press(" ");
    expect(find("veil")).toBeNull();
    expect(document.activeElement).toBe(find("auto"));
    press("j");
    await waitFor(() =>
      expect(labels()).toEqual([
        [0, "positive"],
        [1, "negative"],
      ]),
    );
  });

  it("ends by the button on the veil, and when the grid is opened", async () => {
    await opened();
    press(" ");
    fireEvent.click(find("veil-off")!);
    expect(find("veil")).toBeNull();
    press(" ");
    press("g");
    expect(find("veil")).toBeNull();
    press("g");
    await painted(0);
    expect(find("veil")).toBeNull();
  });
});

describe("panels", () => {
  it("? lists the keys; another key is taken, a clash refused, and both are kept", async () => {
    await opened();
    press("?");
    const skip = () => document.querySelector<HTMLElement>("[aria-label^='Key to skip']")!;
    fireEvent.click(skip());
    fireEvent.keyDown(skip(), { key: "j" });
    expect(text("clash")).toMatch(/^J is taken by/);
    fireEvent.keyDown(skip(), { key: "ü" });
    expect(text("clash")).toBe("");
    press("?");
    press("s");
    expect(shown()).toBe(0);
    press("ü");
    await waitFor(() => expect(labels()).toEqual([[0, "skipped"]]));
  });

  it("take no answers while they are open", async () => {
    await opened();
    press("t");
    expect(document.querySelector("iframe")?.getAttribute("src")).toBe("tensorboard/");
    press("f");
    press("t");
    expect(document.querySelector("iframe")).toBeNull();
    expect(server.received).toEqual([]);
  });

  it("choose the strategy", async () => {
    await opened();
    fireEvent.click(find("info")!);
    fireEvent.change(find("strategy")!, { target: { value: "entropy" } });
    await waitFor(() => expect(server.requests).toContain("PUT /api/strategy"));
  });

  it("keep contrast between images, and answer on while it is changed", async () => {
    await opened();
    fireEvent.click(find("tools")!);
    fireEvent.change(find("contrast")!, { target: { value: "150" } });
    press("f");
    await painted(1);
    expect(document.querySelector<HTMLElement>(".fit")?.style.filter).toContain("contrast(150%)");
    fireEvent.click(find("reset")!);
    expect(document.querySelector<HTMLElement>(".fit")?.style.filter).toBe("none");
  });
});

describe("the path", () => {
  it("is plain text whatever is in it", async () => {
    const path = 'a "b"/\n<b>x</b>/\u202Egnp.\u05D0\u05D1.jpg';
    vi.spyOn(server as unknown as { queue: () => unknown }, "queue").mockReturnValue({
      images: [{ image: 0, path, probability: 0.914, version: "v" }],
      ranking: null,
      left: 1,
    });
    await opened();
    expect(text("path")).toBe(path);
    expect(text("probability")).toBe("91 %");
  });
});
