// Taking over labels from a file, against a fake server.
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ImportPlan } from "./api";
import { App } from "./App";
import { FakeServer } from "./fakeServer";

const NONE = { images: 0, examples: [] };
const PLAN: ImportPlan = {
  positive: 2,
  negative: 0,
  skipped: 0,
  same: 1,
  by_model: 0,
  unread: { coat: 3 },
  conflicts: { images: 1, examples: ["a.jpg"] },
  contradictions: NONE,
  ambiguous: NONE,
  unknown: NONE,
};

let server: FakeServer;

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function opened(): Promise<void> {
  render(<App />);
  await waitFor(() => expect(screen.getByLabelText(/About this run/)).toBeTruthy());
  fireEvent.click(screen.getByLabelText(/About this run/));
  fireEvent.click(await screen.findByText(/Take over labels/));
  fireEvent.change(screen.getByLabelText("File of labels"), {
    target: { files: [new File(["path,label"], "mine.csv")] },
  });
}

it("tells what a file would do, asks what its words mean, stores it, and takes it back", async () => {
  server.imports = (query) => {
    if (query.getAll("negative").includes("coat")) return { ...PLAN, negative: 3, unread: {} };
    return PLAN;
  };
  await opened();
  await screen.findByText(/become “hat”/);
  expect(screen.getByText("a.jpg")).toBeTruthy();
  fireEvent.change(screen.getByLabelText(/“coat”/), { target: { value: "negative" } });
  await screen.findByText(/become “no hat”/);
  fireEvent.click(screen.getByLabelText(/Change the 1/));
  fireEvent.click(screen.getByText("Take over 6 labels"));
  await screen.findByText(/6 labels are taken over/);
  const stored = new URLSearchParams(server.imported.at(-1));
  expect(stored.get("dry_run")).toBe("false");
  expect(stored.get("overwrite")).toBe("true");
  expect(stored.get("name")).toBe("mine.csv");
  fireEvent.click(screen.getByText("Take them back"));
  await screen.findByText(/6 labels were taken back/);
});

it("says in the server's words why a file cannot be read", async () => {
  server.imports = () => "The labels cannot be read: mine.csv is no CSV.";
  await opened();
  expect(await screen.findByText(/is no CSV/)).toBeTruthy();
  expect(screen.queryByText(/Take over \d/)).toBeNull();
});
