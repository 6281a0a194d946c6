import { cleanup, fireEvent, render, waitFor } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Status } from "../../api";
import { FakeServer } from "../../testing/fakeServer";
import { Downloads } from "./Downloads";

let status: Status;

const offered = () =>
  Array.from(document.querySelectorAll("a")).map((link) => link.getAttribute("href")?.split("format=").pop());

/** Rendered, once the server has said what there is. */
async function shown(downloads: ReactElement): Promise<void> {
  render(downloads);
  await waitFor(() => expect(offered()).toContain("csv"));
}

beforeEach(() => {
  status = new FakeServer().status;
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("offers the sorted images first, by the names of this run, and every other format", async () => {
  await shown(<Downloads status={{ ...status, skipped: 0, model: null }} />);
  expect(document.body.textContent).toContain("a folder for hat and one for no hat");
  expect(offered()).toEqual(["folders", "csv", "label-studio", "api/export/label-studio.xml"]);
});

it("offers skipped images and the model where there are any", async () => {
  const model = { generation: 1, labels: 3, metrics: {} };
  await shown(<Downloads status={{ ...status, skipped: 2, model }} />);
  expect(offered().slice(-2)).toEqual(["csv&label=skipped", "api/predictor"]);
  expect(document.body.textContent).toContain("2 so far");
});

it("offers whole photos where the images are tiles of them", async () => {
  await shown(<Downloads status={{ ...status, skipped: 2, model: null }} />);
  expect(document.querySelector("input")).toBeNull();
  cleanup();
  await shown(<Downloads status={{ ...status, skipped: 2, model: null, tile: "6x4" }} />);
  const before = offered();
  const box = document.querySelector("input");
  expect(box?.closest("label")?.textContent).toContain("hat if any tile is");
  if (box) fireEvent.click(box);
  expect(offered()).toEqual(
    before.map((format) => (format?.endsWith(".xml") ? `${format}?roll_up=true` : `${format}&roll_up=true`)),
  );
});
