// The map against a fake server: choosing by hand and by key, asking first, answering all with one undo.
import { act, fireEvent, render } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { App } from "../../App";
import { find, painted, press, server, shown, soon, text } from "../../testing/page";

const panel = () => document.querySelector<HTMLElement>("dialog.map-dialog");
const plane = () => document.querySelector<HTMLCanvasElement>("#map-plane")!;
const clusters = () => Array.from(document.querySelectorAll<HTMLElement>(".cluster"));
const click = (id: string) => fireEvent.click(find(id)!);
const lately = () => panel()?.querySelector(".lately")?.textContent;
const legend = () => panel()?.querySelector(".swatches")?.textContent;

/** As large as the stage of a small screen; images lie 141 pixels left and right of the middle, even ones left. */
const SIZE = { width: 800, height: 600 };
const LEFT = [
  [100, 10],
  [390, 10],
  [390, 590],
  [100, 590],
] as const;

beforeEach(() => {
  Object.defineProperty(HTMLCanvasElement.prototype, "clientWidth", {
    value: SIZE.width,
    configurable: true,
  });
  Object.defineProperty(HTMLCanvasElement.prototype, "clientHeight", {
    value: SIZE.height,
    configurable: true,
  });
});

async function opened(): Promise<void> {
  render(<App />);
  await painted();
  press("v", document.body);
  await soon(() => expect(plane()).not.toBeNull());
}

/** A mouse or a finger on the map; jsdom has no events of pointers. */
function point(type: string, x: number, y: number, init: MouseEventInit = {}, pointerType = "mouse"): void {
  const event = new MouseEvent(`pointer${type}`, { clientX: x, clientY: y, bubbles: true, ...init });
  act(() => void plane().dispatchEvent(Object.assign(event, { pointerId: 1, pointerType })));
}

function drag(corners: readonly (readonly [number, number])[], init: MouseEventInit = {}): void {
  point("down", ...corners[0]!, init);
  for (const corner of corners.slice(1)) point("move", ...corner, init);
  point("up", ...corners.at(-1)!, init);
}

describe("the map", () => {
  it("opens and closes by its key, and Escape closes it", async () => {
    await opened();
    expect(panel()?.querySelector("h2")?.textContent).toBe("Map of 20 images");
    press("v", panel());
    await soon(() => expect(panel()).toBeNull());
    press("v", document.body);
    await soon(() => expect(plane()).not.toBeNull());
    press("Escape", panel());
    await soon(() => expect(panel()).toBeNull());
  });

  it("says in the server's words why there is no map yet, and shows it once it is there", async () => {
    server.map.coming = "There is no map yet: it comes once the first images are embedded.";
    render(<App />);
    await painted();
    press("v", document.body);
    await soon(() => expect(text("map-coming")).toBe(server.map.coming));
    server.map.coming = null;
    await soon(() => expect(plane()).not.toBeNull());
  });

  it("does not answer the image behind it", async () => {
    await opened();
    press("f", panel());
    press("j", panel());
    press("s", panel());
    expect(server.received).toEqual([]);
    expect(shown()).toBe(0);
  });

  it("counts the answers beside their colours, and those given elsewhere", async () => {
    await opened();
    await soon(() => expect(legend()).toBe("open 20"));
    server.stored = [{ image: 5, label: "positive", group: "g", source: "key" }];
    server.push();
    await soon(() => expect(legend()).toBe("hat 1open 19"));
  });
});

describe("choosing", () => {
  it("takes what a drag with Shift goes around, says how many, and asks them next", async () => {
    await opened();
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(text("map-chosen")).toBe("10 images are chosen, 10 open."));
    press("q", panel());
    await soon(() => expect(panel()).toBeNull());
    expect(server.map.asked).toEqual([[0, 2, 4, 6, 8, 10, 12, 14, 16, 18]]);
    expect(text("note")).toBe("The 10 that you chose come next.");
  });

  it("takes what a rectangle holds where the tool is chosen, and moves the map again afterwards", async () => {
    await opened();
    click("map-rectangle");
    drag([
      [700, 500],
      [410, 10],
    ]);
    await soon(() => expect(text("map-chosen")).toMatch(/^\d+ images are chosen/));
    expect(find("map-move")?.getAttribute("aria-pressed")).toBe("true");
    drag(LEFT);
    expect(text("map-chosen")).not.toMatch(/^10 images/);
  });

  it("says so where nothing is inside", async () => {
    await opened();
    drag(
      [
        [395, 295],
        [405, 295],
        [405, 305],
      ],
      { shiftKey: true },
    );
    await soon(() => expect(lately()).toBe("There is no image inside."));
    expect(find("map-chosen")).toBeNull();
  });

  it("counts only open images as open, and answers no other", async () => {
    server.stored = [{ image: 0, label: "positive", group: "g", source: "key" }];
    await opened();
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(text("map-chosen")).toBe("10 images are chosen, 9 open."));
    press("j", panel());
    press("Enter", panel());
    await soon(() => expect(server.map.answers).toHaveLength(1));
    expect(server.map.answers[0]?.images).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });
});

describe("answering all", () => {
  it("asks once, sends one answer, shows it at once, and one Backspace takes it back", async () => {
    await opened();
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(find("map-all-positive")).not.toBeNull());
    press("f", panel());
    expect(text("map-question-what")).toContain("10 open images become “hat”");
    expect(text("map-question-what")).toContain("The model calls 10 of them “no hat”.");
    expect(server.map.answers).toEqual([]);
    click("map-yes");
    expect(legend()).toBe("hat 10open 10");
    await soon(() => expect(server.stored).toHaveLength(10));
    expect(server.map.answers).toMatchObject([
      { label: "positive", images: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18] },
    ]);
    expect(lately()).toBe("10 images are “hat”; ⌫ takes that back.");
    press("Backspace", panel());
    await soon(() => expect(server.stored).toEqual([]));
    await soon(() => expect(lately()).toBe("Taken back: 10 answers"));
    server.push();
    await soon(() => expect(legend()).toBe("open 20"));
  });

  it("takes Escape for one step back: from the question, then from the choice", async () => {
    await opened();
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(find("map-chosen")).not.toBeNull());
    press("j", panel());
    expect(find("map-question")).not.toBeNull();
    press("Escape", panel());
    expect(find("map-question")).toBeNull();
    press("Escape", panel());
    expect(find("map-chosen")).toBeNull();
    expect(panel()).not.toBeNull();
    expect(server.map.answers).toEqual([]);
  });

  it("keeps the answer while the server cannot store it", async () => {
    await opened();
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(find("map-chosen")).not.toBeNull());
    server.failure = 503;
    press("j", panel());
    press("Enter", panel());
    expect(legend()).toBe("no hat 10open 10");
    server.failure = null;
    await soon(() => expect(server.stored).toHaveLength(10));
    expect(server.map.answers).toHaveLength(1);
  });

  it("takes an answer back that was not sent yet, before an earlier one", async () => {
    render(<App />);
    await painted(0);
    server.failure = 503;
    press("f", document.body);
    await painted(1);
    press("v", document.body);
    await soon(() => expect(plane()).not.toBeNull());
    drag(LEFT, { shiftKey: true });
    await soon(() => expect(find("map-chosen")).not.toBeNull());
    press("j", panel());
    press("Enter", panel());
    press("Backspace", panel());
    await soon(() => expect(lately()).toBe("Taken back: 10 answers"));
    server.failure = null;
    await soon(() => expect(server.stored).toMatchObject([{ image: 0, label: "positive" }]));
    expect(server.map.answers).toEqual([]);
  });

  it("takes nothing back that was answered elsewhere", async () => {
    server.stored = [{ image: 3, label: "positive", group: "g", source: "key" }];
    await opened();
    press("Backspace", panel());
    await soon(() => expect(lately()).toContain("nothing to take back"));
    expect(server.stored).toHaveLength(1);
  });
});

describe("the list of clusters", () => {
  it("says the map in words, goes by arrows, and chooses with the same actions", async () => {
    server.stored = [{ image: 4, label: "positive", group: "g", source: "key" }];
    await opened();
    await soon(() => expect(clusters()).toHaveLength(2));
    expect(clusters()[0]?.textContent).toBe("Cluster 1: 10 images, 1 “hat”, 9 open, about\u00a031\u00a0%");
    press("ArrowDown", panel());
    await soon(() => expect(document.activeElement).toBe(clusters()[0]));
    press("ArrowDown");
    await soon(() => expect(document.activeElement).toBe(clusters()[1]));
    press("ArrowDown");
    expect(document.activeElement).toBe(clusters()[1]);
    fireEvent.click(clusters()[1]!);
    await soon(() => expect(text("map-chosen")).toBe("10 images are chosen, 10 open."));
    expect(clusters()[1]?.getAttribute("aria-pressed")).toBe("true");
    press("f");
    press("Enter");
    await soon(() => expect(server.map.answers).toHaveLength(1));
    expect(server.map.answers[0]?.images.every((image) => image % 2 === 1)).toBe(true);
  });

  it("begins with the likeliest cluster", async () => {
    server.map.probabilities = [0.02, 0.9];
    await opened();
    await soon(() => expect(clusters().map(({ dataset }) => dataset["cluster"])).toEqual(["1", "0"]));
    press("ArrowDown", panel());
    await soon(() => expect(document.activeElement).toBe(clusters()[0]));
  });

  it("goes by number while the model's opinion is hidden", async () => {
    localStorage.setItem("ia:blind", "true");
    server.map.probabilities = [0.02, 0.9];
    await opened();
    await soon(() => expect(clusters().map(({ dataset }) => dataset["cluster"])).toEqual(["0", "1"]));
  });

  it("has pictures of what is in a cluster", async () => {
    await opened();
    await soon(() => expect(clusters()[0]?.querySelectorAll("img")).toHaveLength(3));
    expect(clusters()[0]?.querySelector("img")?.getAttribute("src")).toBe("api/images/0?size=160&version=v");
  });
});

describe("the image of a point", () => {
  const OVER = [259, 74] as const; // the image 0

  it("is shown small under the mouse with its name and what is known, and large after a click", async () => {
    await opened();
    point("move", ...OVER);
    await soon(() => expect(find("map-preview")?.dataset["image"]).toBe("0"));
    await soon(() => expect(find("map-preview")?.querySelector("img")?.alt).toBe("folder/0.jpg"));
    expect(text("map-preview")).toContain("open, 0 %");
    point("down", ...OVER);
    point("up", ...OVER);
    await soon(() => expect(find("map-large")?.querySelector("img")?.alt).toBe("folder/0.jpg"));
    press("Escape");
    expect(find("map-large")).toBeNull();
    expect(panel()).not.toBeNull();
  });

  it("is shown by a long press of a finger", async () => {
    await opened();
    point("down", ...OVER, {}, "touch");
    await soon(() => expect(find("map-preview")?.dataset["image"]).toBe("0"));
    point("up", ...OVER, {}, "touch");
    expect(find("map-preview")).toBeNull();
  });
});

describe("a hidden probability", () => {
  it("stays hidden: in the colours, in the clusters, beside a point and in the question", async () => {
    localStorage.setItem("ia:blind", "true");
    await opened();
    expect(find("map-colours")).toBeNull();
    await soon(() => expect(clusters()[0]?.textContent).toBe("Cluster 1: 10 images, 0 “hat”, 10 open"));
    point("move", 259, 74);
    await soon(() => expect(text("map-preview")).toContain("folder/0.jpg"));
    expect(panel()?.textContent).not.toContain("%");
    fireEvent.click(clusters()[0]!);
    press("f", panel());
    await soon(() => expect(text("map-question-what")).toContain("become"));
    expect(text("map-question-what")).not.toContain("model");
  });

  it("can be seen as colour otherwise", async () => {
    await opened();
    fireEvent.change(find("map-colours")!, { target: { value: "probability" } });
    expect(panel()?.querySelector(".ramp")?.textContent).toBe("0 %100 %");
    fireEvent.change(find("map-colours")!, { target: { value: "prior" } });
    expect(panel()?.querySelector(".colours")?.textContent).toContain("There is no prior");
  });
});
