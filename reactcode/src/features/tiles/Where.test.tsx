// Where a tile lies: shown, asked for and opened without ever standing in the way of the tile, and only where there are any.
import { act, cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../../App";
import { FakeServer } from "../../testing/fakeServer";

let server: FakeServer;

const find = (id: string) => document.getElementById(id);
const press = (key: string) => fireEvent.keyDown(document.body, { key });
const small = () => document.querySelector<HTMLImageElement>("#whereabouts img");
const outlines = () => [...document.querySelectorAll<HTMLElement>(".outline")].map(({ style }) => style);
const corner = (name: RegExp) => screen.getByRole("button", { name });

async function painted(image: number): Promise<void> {
  await waitFor(() =>
    expect(find("image")?.dataset).toMatchObject({ image: String(image), painted: "true" }),
  );
}

/** Press what answers until the next image is there: the page may not be ready to keep answers yet. */
async function answer(image: number, key: string): Promise<void> {
  while (find("image")?.dataset["image"] === String(image)) {
    press(key);
    await act(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  await painted(image + 1);
}

/** Addresses of pictures that the page has the browser fetch without showing them. */
function prefetched(): string[] {
  const addresses: string[] = [];
  vi.spyOn(HTMLImageElement.prototype, "src", "set").mockImplementation(function (this: HTMLElement, to) {
    if (to.startsWith("api/")) addresses.push(to);
    this.setAttribute("src", to);
  });
  return addresses;
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
  server.pathOf = (image) =>
    `cam/${Math.floor(image / 6)}.jpg#3x2-c${(image % 3) + 1}-r${Math.floor((image % 6) / 3) + 1}`;
  server.changes = { tile: "3x2", photos: 4, photos_positive: 2, images: 20 };
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("where a tile lies", () => {
  it("is outlined at once, and its photo asked for only once the tile is painted", async () => {
    server.picturesHeld = true;
    render(<App />);
    await screen.findByText("Loading…");
    await act(() => new Promise((resolve) => setTimeout(resolve, 400)));
    expect(outlines()).toHaveLength(1);
    expect(small()).toBeNull();
    server.letPicturesGo();
    await waitFor(() =>
      expect(small()?.getAttribute("src")).toBe("api/images/0?size=256&version=v&whole=true"),
    );
    expect(small()?.alt).toBe("tile, column 1 of 3, row 1 of 2");
    await answer(0, "j");
    expect(outlines()[0]).toMatchObject({ top: "0%", height: "50%" });
    expect(parseFloat(outlines()[0]?.left ?? "")).toBeCloseTo(100 / 3);
    await waitFor(() => expect(small()?.getAttribute("src")).toContain("images/1?"));
  });

  it("has the photo of the next tile fetched when its own is there, and nothing else is on its way", async () => {
    render(<App />);
    await waitFor(() => expect(small()).not.toBeNull());
    const addresses = prefetched();
    server.picturesHeld = true;
    await answer(0, "j"); // another picture comes into sight of the queue, and does not arrive
    await waitFor(() => expect(small()?.getAttribute("src")).toContain("images/1?"));
    fireEvent.load(small()!);
    await act(() => new Promise((resolve) => setTimeout(resolve, 400)));
    expect(addresses.filter((address) => address.includes("images/2?"))).toEqual([]);
    server.letPicturesGo();
    await waitFor(() => expect(addresses).toContain("api/images/2?size=256&version=v&whole=true"));
  });

  it("is not said of a whole photo", async () => {
    server.pathOf = (image) => `folder/${image}.jpg`;
    server.changes = { tile: null };
    render(<App />);
    await painted(0);
    press("w");
    await screen.findByText("The image is a whole photo.");
    expect(find("photo")).toBeNull();
    expect(find("whereabouts")).toBeNull();
  });
});

describe("W", () => {
  it("shows the whole photo, and the tile again; so do the corner and Escape", async () => {
    render(<App />);
    await painted(0);
    press("w");
    const picture = screen.getByAltText("cam/0.jpg, with an outline: tile, column 1 of 3, row 1 of 2");
    expect(picture.getAttribute("src")).toMatch(/^api\/images\/0\?size=1280&version=v&whole=true$/);
    press("w");
    expect(find("photo")).toBeNull();
    fireEvent.click(corner(/^tile, column 1 of 3, row 1 of 2: show the whole photo/));
    expect(find("photo")).not.toBeNull();
    fireEvent.click(corner(/^back to the tile/));
    expect(find("photo")).toBeNull();
    press("w");
    press("Escape");
    expect(find("photo")).toBeNull();
  });

  it("does not keep from answering; the next tile is shown itself, and so is a past one that is put right", async () => {
    render(<App />);
    await painted(0);
    press("w");
    await answer(0, "f");
    expect(find("photo")).toBeNull();
    await waitFor(() => expect(server.received).toMatchObject([{ image: 0, label: "positive" }]));
    press("ArrowLeft");
    await painted(0);
    press("w");
    expect(find("photo")).not.toBeNull();
    press("j");
    expect(find("photo")).toBeNull();
    await waitFor(() => expect(server.stored).toMatchObject([{ image: 0, label: "negative" }]));
  });

  it("gives way to a closer look, and AUTO waits for it", async () => {
    render(<App />);
    await painted(0);
    press("w");
    press("z");
    expect(find("photo")).toBeNull();
    expect(find("viewing")).not.toBeNull();
    press("w");
    expect(find("viewing")).toBeNull();
    press("Escape");
    press("Escape");
    press("a");
    press("w");
    await act(() => new Promise((resolve) => setTimeout(resolve, 1500)));
    expect(find("image")?.dataset["image"]).toBe("0");
    press("w");
    await waitFor(() => expect(find("image")?.dataset["image"]).not.toBe("0"));
  });
});

describe("the words", () => {
  it("name photo and place; what is copied is the path", async () => {
    const copied: string[] = [];
    vi.stubGlobal("navigator", {
      ...navigator,
      clipboard: { writeText: (text: string) => Promise.resolve(void copied.push(text)) },
    });
    render(<App />);
    await painted(0);
    expect(find("path")?.textContent).toBe("cam/0.jpgcolumn 1, row 1 of 3 x 2");
    expect(find("image")?.getAttribute("alt")).toBe("cam/0.jpg, column 1, row 1 of 3 x 2");
    fireEvent.click(screen.getByRole("button", { name: "Copy the path" }));
    await screen.findByText("Path copied.");
    expect(copied).toEqual(["cam/0.jpg#3x2-c1-r1"]);
    await answer(0, "f");
    screen.getByRole("button", { name: "cam/0.jpg, column 1, row 1 of 3 x 2: hat" });
    press("g");
    expect((await screen.findAllByTitle("cam/0.jpg, column 2, row 1 of 3 x 2")).length).toBe(1);
    expect(document.body.innerHTML).not.toContain("#3x2");
  });

  it("count tiles, and photos", async () => {
    render(<App />);
    await painted(0);
    press("p");
    await waitFor(() =>
      expect(find("photos-positive")?.textContent).toBe(
        "2 photos with “hat”; there are 20 tiles of 4 photos",
      ),
    );
    screen.getByText("tiles/s, overall");
    press("p");
    fireEvent.click(screen.getByRole("button", { name: "About this run" }));
    screen.getByText("20 tiles of 4 photos");
  });
});
