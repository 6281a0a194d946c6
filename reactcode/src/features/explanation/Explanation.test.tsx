// Why the model thinks so: asked for after the image is painted, laid over that image only, and never what would sway.
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Explanation } from "../../api";
import { App } from "../../App";
import { named } from "../../testing/answers";
import { FakeServer } from "../../testing/fakeServer";

let server: FakeServer;

const find = (id: string) => document.getElementById(id);
const press = (key: string) => fireEvent.keyDown(document.body, { key });
const heat = () => document.querySelector<HTMLCanvasElement>(".heat canvas");
const asked = () => server.requests.filter((request) => request.includes("/api/explanation/"));

function explained(image: number): Explanation {
  const near = {
    image: 18,
    ...named("folder/18.jpg"),
    version: "v",
    similarity: 0.873,
    label: "positive" as const,
  };
  return {
    image,
    checkpoint: 3,
    map: { height: 1, width: 3, values: [-0.5, 0, 1] },
    positive: [near],
    negative: [],
  };
}

async function painted(image: number): Promise<void> {
  await waitFor(
    () => expect(find("image")?.dataset).toMatchObject({ image: String(image), painted: "true" }),
    { timeout: 4000 },
  );
}

async function answer(image: number): Promise<void> {
  while (find("image")?.dataset["image"] === String(image)) {
    press("j");
    await act(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
  await painted(image + 1);
}

beforeEach(async () => {
  localStorage.clear();
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(null); // jsdom paints nothing
  server = new FakeServer();
  for (const image of [0, 1, 3]) server.explanations.set(image, explained(image));
  render(<App />);
  await painted(0);
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("H", () => {
  it("shows where the model looked and what is most similar, in words too, and hides it again", async () => {
    expect(asked()).toEqual([]);
    press("h");
    const why = within(await screen.findByRole("complementary", { name: "Why the model thinks so" }));
    await why.findByText(/the right side. Strongest against it: the left side/);
    expect(heat()?.getAttribute("aria-label")).toMatch(/Strongest for “hat”: the right side/);
    expect(why.getByText("0.87")).toBeTruthy();
    expect(why.getByAltText("folder/18.jpg").getAttribute("src")).toContain("api/images/18?");
    expect(why.getByText("none")).toBeTruthy(); // no negative one
    press("h");
    expect(find("why")).toBeNull();
    expect(heat()).toBeNull();
  });

  it("stays on for the next images, asks for each once it is painted, and never shows the map of another", async () => {
    press("h");
    await waitFor(() => expect(heat()).not.toBeNull());
    server.picturesHeld = false;
    await answer(0);
    await waitFor(() => expect(find("why")?.dataset["image"]).toBe("1"));
    expect(heat()).not.toBeNull();
    await answer(1);
    await waitFor(() => expect(find("why")?.textContent).toMatch(/There is no explanation/));
    expect(heat()).toBeNull();
    await answer(2);
    await waitFor(() => expect(find("why")?.dataset["image"]).toBe("3"));
    expect(asked().filter((request) => !request.endsWith("/2"))).toEqual(
      [0, 1, 3].map((image) => `GET /api/explanation/${image}`),
    );
  });

  it("asks again while there is none yet", async () => {
    server.explanations.delete(0);
    press("h");
    await waitFor(() => expect(find("why")?.textContent).toMatch(/There is no explanation/));
    server.explanations.set(0, explained(0));
    await waitFor(() => expect(heat()).not.toBeNull(), { timeout: 4000 });
  });

  it("shows nothing, and asks for nothing, while the probability is hidden", async () => {
    press("b");
    press("h");
    await screen.findByText("The explanation is hidden, because the probability is.");
    expect(find("why")).toBeNull();
    press("b");
    await waitFor(() => expect(heat()).not.toBeNull());
    press("b");
    expect(find("why")).toBeNull();
    expect(heat()).toBeNull();
    expect(asked()).toHaveLength(1);
  });

  it("says so where the network cannot show where it looks", async () => {
    server.explanations.set(0, { ...explained(0), map: null });
    press("h");
    await screen.findByText("This network cannot show where it looks.");
    expect(heat()).toBeNull();
  });

  it("has a button, and does not stop AUTO", async () => {
    fireEvent.click(screen.getByRole("button", { name: "Why the model thinks so" }));
    await waitFor(() => expect(heat()).not.toBeNull());
    const door = screen.getByRole("button", { name: "Why the model thinks so" });
    expect(door.getAttribute("aria-pressed")).toBe("true");
    press("arrowup");
    press("a");
    await waitFor(() => expect(find("image")?.dataset["image"]).not.toBe("0"), { timeout: 10_000 });
  });
});
