// Looking closely, other looks, swipes and the hidden probability: by keys and fingers, on the whole page.
import { act, cleanup, fireEvent, render, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../../App";
import { FakeServer } from "../../testing/fakeServer";

const STAGE = { width: 1000, height: 600 };
const PICTURE = { width: 4000, height: 3000 };
const PIXELS = 5; // the scale of the file's own pixels: 4000 of them, and 800 where the picture fits the stage

let server: FakeServer;

const find = (id: string) => document.getElementById(id);
const stage = () => document.querySelector<HTMLElement>(".stage")!;
const fit = () => document.querySelector<HTMLElement>(".fit")!;
const press = (key: string, init: KeyboardEventInit = {}) =>
  fireEvent.keyDown(document.body, { key, ...init });
const isZoomed = () => stage().dataset["zoomed"] === "true";

/** Where and how large the picture is: its middle's distance from the stage's, and the scale. */
function seen() {
  const { transform } = document.querySelector<HTMLElement>(".glass")!.style;
  const [x = 0, y = 0, scale = 1] = (transform.match(/-?[\d.]+/g) ?? []).map(Number);
  const left = (STAGE.width - PICTURE.width / PIXELS) / 2;
  return {
    x: x + left + (scale * PICTURE.width) / PIXELS / 2 - STAGE.width / 2,
    y: y + (scale * PICTURE.height) / PIXELS / 2 - STAGE.height / 2,
    scale,
  };
}

async function painted(image: number): Promise<void> {
  await waitFor(
    () => expect(find("image")?.dataset).toMatchObject({ image: String(image), painted: "true" }),
    { timeout: 4000 },
  );
}

async function opened(): Promise<void> {
  render(<App />);
  await painted(0);
}

/** Do what answers the image, again as long as the page is not ready to keep answers; the next image is there then. */
async function answer(image: number, action: () => void): Promise<void> {
  while (find("image")?.dataset["image"] === String(image)) {
    action();
    await act(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  await painted(image + 1);
}

type Happening = "down" | "move" | "up" | "cancel";

/** A mouse or a finger on the stage; jsdom has no events of pointers. */
function point(type: Happening, pointerType: string, x: number, y: number, pointerId: number): void {
  const event = new MouseEvent(`pointer${type}`, { clientX: x, clientY: y, bubbles: true });
  act(() => void find("image")!.dispatchEvent(Object.assign(event, { pointerId, pointerType })));
}

function touch(type: Happening, x: number, y: number, finger = 1): void {
  point(type, "touch", x, y, finger);
}

function swipe(x: number, y: number): void {
  touch("down", 500, 300);
  touch("move", 500 + x / 2, 300 + y / 2);
  touch("move", 500 + x, 300 + y);
  touch("up", 500 + x, 300 + y);
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(STAGE.width);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(STAGE.height);
  vi.spyOn(HTMLElement.prototype, "getBoundingClientRect").mockReturnValue({
    ...STAGE,
    left: 0,
    top: 0,
  } as DOMRect);
  vi.spyOn(HTMLImageElement.prototype, "naturalWidth", "get").mockReturnValue(PICTURE.width);
  vi.spyOn(HTMLImageElement.prototype, "naturalHeight", "get").mockReturnValue(PICTURE.height);
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("marks a picture of which the file lacks a part, and no other", async () => {
  server.damaged.set(0, "It breaks off: 3 of 300 rows are missing.");
  await opened();
  await waitFor(() => expect(find("damage")?.title).toContain("3 of 300 rows are missing."));
  await answer(0, () => press("f"));
  expect(find("damage")).toBeNull();
});

describe("Z", () => {
  it("shows the file's own pixels about the mouse, and the whole picture again", async () => {
    await opened();
    point("move", "mouse", 700, 200, 9);
    press("z");
    await waitFor(() => expect(find("scale")?.textContent).toBe("1:1"));
    expect(seen().x).toBeCloseTo(200 - 200 * PIXELS);
    expect(seen().y).toBeCloseTo(-100 + 100 * PIXELS);
    expect(seen().scale).toBe(PIXELS);
    expect(document.querySelector(".glass .file")).not.toBeNull();
    expect(find("image")?.dataset["painted"]).toBe("true");
    press("z");
    await waitFor(() => expect(isZoomed()).toBe(false));
    expect(find("viewing")).toBeNull();
  });

  it("goes as close as the picture allows where the file cannot be had", async () => {
    await opened();
    server.unreadable.add(0);
    press("z");
    await waitFor(() => expect(isZoomed()).toBe(true));
    expect(find("note")?.textContent).toBe("The full size cannot be shown now.");
  });
});

describe("the view", () => {
  it("is another for every image, unless it is pinned", async () => {
    await opened();
    press("+");
    await answer(0, () => press("f"));
    expect(isZoomed()).toBe(false);
    press("+");
    press("ArrowRight", { shiftKey: true });
    press("k");
    const before = seen();
    await answer(1, () => press("f"));
    expect([isZoomed(), seen()]).toEqual([true, before]);
    press("k");
    await answer(2, () => press("f"));
    expect(isZoomed()).toBe(false);
  });

  it("is moved by Shift and the arrows, and zoomed by plus and minus", async () => {
    await opened();
    for (let times = 0; times < 6; times += 1) press("+");
    const before = seen();
    expect(before.scale).toBeCloseTo(1.25 ** 6);
    press("ArrowRight", { shiftKey: true });
    press("ArrowUp", { shiftKey: true });
    expect(seen().x).toBeCloseTo(before.x - 150, -1);
    expect(seen().y).toBeCloseTo(before.y + 90, -1);
    for (let times = 0; times < 9; times += 1) press("-");
    expect(isZoomed()).toBe(false);
    expect(find("walk")).toBeNull();
  });

  it("is whole again by Escape, and by a button", async () => {
    await opened();
    press("+");
    press("Escape");
    expect(isZoomed()).toBe(false);
    press("+");
    fireEvent.click(find("whole")!);
    expect(isZoomed()).toBe(false);
  });

  it("says how it can be pinned while it is whole", async () => {
    await opened();
    press("k");
    expect(find("note")?.textContent).toContain("Zoom in first");
  });
});

describe("the wheel", () => {
  it("zooms about the cursor, and a pinch on a trackpad does", async () => {
    await opened();
    fireEvent.wheel(stage(), { deltaY: -120, clientX: 600, clientY: 300 });
    expect(seen().scale).toBeCloseTo(Math.exp(0.24));
    fireEvent.wheel(stage(), { deltaY: -10, ctrlKey: true, clientX: 600, clientY: 300 });
    expect(seen().scale).toBeCloseTo(Math.exp(0.34));
    expect(fireEvent.wheel(stage(), { deltaY: 240, clientX: 600, clientY: 300 })).toBe(false); // not the page's
    expect(isZoomed()).toBe(false);
  });
});

describe("fingers", () => {
  it.each([
    ["right", 200, 0, "positive"],
    ["left", -200, 10, "negative"],
    ["up", 10, -200, "skipped"],
  ] as const)("that swipe %s answer", async (_, x, y, label) => {
    await opened();
    await answer(0, () => swipe(x, y));
    await waitFor(() => expect(server.received).toMatchObject([{ image: 0, label, source: "button" }]));
    expect(seen()).toEqual({ x: 0, y: 0, scale: 1 });
  });

  it("pull the picture along with the answer's name, and let it go when it was not far", async () => {
    await opened();
    touch("down", 500, 300);
    touch("move", 560, 300);
    expect(seen().x).toBe(60);
    expect(stage().dataset).toMatchObject({ swipe: "right", sure: "false" });
    expect(document.querySelector(".swipes .right")?.textContent).toBe("hat");
    touch("cancel", 560, 300);
    expect(seen().x).toBe(0);
    expect(stage().dataset["swipe"]).toBe("");
    expect(server.received).toEqual([]);
  });

  it("pan what is zoomed in, and answer nothing", async () => {
    await opened();
    for (let times = 0; times < 6; times += 1) press("+");
    swipe(200, 0);
    expect(seen().x).toBeGreaterThan(100);
    expect(find("image")?.dataset["image"]).toBe("0");
    expect(server.received).toEqual([]);
  });

  it("that tap as two take the last answer back", async () => {
    await opened();
    await answer(0, () => press("f"));
    touch("down", 400, 300, 1);
    touch("down", 600, 300, 2);
    touch("up", 400, 300, 1);
    touch("up", 600, 300, 2);
    await painted(0);
  });

  it("that pinch zoom", async () => {
    await opened();
    touch("down", 400, 300, 1);
    touch("down", 600, 300, 2);
    for (const x of [380, 300, 200]) touch("move", x, 300, 1);
    expect(isZoomed()).toBe(true);
    touch("up", 200, 300, 1);
    touch("up", 600, 300, 2);
    expect(server.received).toEqual([]);
  });

  it("say nothing at the screen's edge, which is the system's own", async () => {
    await opened();
    touch("down", 5, 300);
    touch("move", 300, 300);
    touch("up", 300, 300);
    expect(find("image")?.dataset["image"]).toBe("0");
  });
});

describe("the look", () => {
  it("is kept between visits, and reset with the zoom and the pin by N", async () => {
    await opened();
    press("l");
    fireEvent.change(find("gamma")!, { target: { value: "2" } });
    fireEvent.change(find("contrast")!, { target: { value: "150" } });
    fireEvent.click(find("invert")!);
    cleanup();
    await opened();
    expect(fit().style.filter).toBe("url(#gamma-filter) contrast(150%) invert(1)");
    expect(document.querySelector("#gamma-filter feFuncR")?.getAttribute("exponent")).toBe("0.5");
    press("+");
    press("k");
    press("n");
    expect(fit().style.filter).toBe("none");
    expect(document.querySelector("#gamma-filter")).toBeNull();
    expect(isZoomed()).toBe(false);
    expect(JSON.parse(localStorage.getItem("ia:look")!)).toMatchObject({ gamma: 1, invert: false });
  });

  it("is changed while answering goes on; L opens and closes", async () => {
    await opened();
    press("l");
    expect(document.activeElement?.className).toBe("tools");
    await answer(0, () => press("f"));
    press("l");
    expect(document.querySelector(".tools")).toBeNull();
  });
});

describe("blind", () => {
  it("hides the probability from everything, and is kept", async () => {
    await opened();
    await answer(0, () => press("f"));
    expect(find("probability")?.textContent).toBe("1 %");
    expect(find("positive")?.style.getPropertyValue("--tint")).toBe("0.01");
    press("b");
    const tint = find("positive")?.style.getPropertyValue("--tint");
    expect(find("negative")?.style.getPropertyValue("--tint")).toBe(tint);
    cleanup();
    render(<App />);
    await painted(1);
    expect(document.body.innerHTML).not.toMatch(/\d %/);
    expect(find("blind")?.getAttribute("aria-pressed")).toBe("true");
    fireEvent.click(find("blind")!);
    expect(find("probability")?.textContent).toMatch(/\d %/);
  });
});
