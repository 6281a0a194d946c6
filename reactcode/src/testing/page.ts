// The page in a test: a fake server behind it, what is on it, keys pressed on it, and waiting for what it shows.
// A test file that imports this has an empty storage and a new server before each test, and no page after it.
import { cleanup, fireEvent, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { FakeServer } from "./fakeServer";

/** The server of the test that runs. */
export let server: FakeServer;

/** Put another server in its place, before the page is rendered. */
export function serve(other: FakeServer): void {
  server = other;
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
});

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

export const find = (id: string) => document.getElementById(id);
export const text = (id: string) => find(id)?.textContent;

/** Press a key where the focus is, or on another element. */
export const press = (
  key: string,
  target: Element | null = document.activeElement,
  init: KeyboardEventInit = {},
) => fireEvent.keyDown(target ?? document.body, { key, ...init });

/** Wait until something holds that the server has a part in. */
export const soon = (check: () => void) => waitFor(check, { timeout: 5_000 });

/** The number of the image on the screen; NaN while there is none. */
export const shown = () => Number(find("image")?.dataset["image"] ?? NaN);

/** Wait until an image is on the screen, this one if it is named. */
export async function painted(image?: number): Promise<void> {
  await soon(() => {
    expect(find("image")?.dataset["painted"]).toBe("true");
    if (image !== undefined) expect(shown()).toBe(image);
  });
}
