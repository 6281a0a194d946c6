// Taking over labels from a file, against a fake server.
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import type { ImportPlan } from "../../api";
import { App } from "../../App";
import { NO_LABELS } from "../../testing/answers";
import { server } from "../../testing/page";

const PLAN: ImportPlan = {
  ...NO_LABELS,
  positive: 2,
  same: 1,
  unread: { coat: 3 },
  conflicts: { images: 1, examples: ["a.jpg"] },
};

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
  fireEvent.click(screen.getByLabelText(/Also change the 1/));
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

it("offers to take the last import back long after it was stored, and asks once more", async () => {
  server.lastImport = { group: "g", images: 6 };
  render(<App />);
  await waitFor(() => expect(screen.getByLabelText(/About this run/)).toBeTruthy());
  fireEvent.click(screen.getByLabelText(/About this run/));
  await screen.findByText(/6 labels of the last import still count/);
  fireEvent.click(screen.getByText("Take back…"));
  expect(server.requests).not.toContain("POST /api/import/undo");
  fireEvent.click(screen.getByText("Yes, take all of them back"));
  await screen.findByText(/6 labels were taken back/);
});

it("offers nothing where nothing was imported", async () => {
  render(<App />);
  await waitFor(() => expect(screen.getByLabelText(/About this run/)).toBeTruthy());
  fireEvent.click(screen.getByLabelText(/About this run/));
  await waitFor(() => expect(server.requests).toContain("GET /api/import/last"));
  expect(document.getElementById("last-import")).toBeNull();
});

it("says of one that it is one", async () => {
  const one = { images: 1, examples: ["a.jpg"] };
  server.imports = () => ({ ...PLAN, positive: 1, unread: {}, conflicts: one, unknown: one });
  await opened();
  await screen.findByText(/becomes “hat”/);
  expect(screen.getByText(/has that label already/)).toBeTruthy();
  expect(screen.getByText(/has another label, and keeps it/)).toBeTruthy();
  expect(screen.getByText(/is no image of this run/)).toBeTruthy();
  fireEvent.click(screen.getByText("Take over 1 label"));
  await screen.findByText("1 label is taken over.");
});

it("says why paths are left out of which only the file name fits, and how many rows have no label", async () => {
  const one = { images: 1, examples: ["old/a.jpg"] };
  const two = { images: 2, examples: ["b.jpg", "c.jpg"] };
  server.imports = () => ({ ...PLAN, unlabelled: 1, elsewhere: one, claimed: two });
  await opened();
  expect(await screen.findByText(/has the file name of one image, but another folder/)).toBeTruthy();
  expect(screen.getByText(/match images only loosely, as other paths do/)).toBeTruthy();
  expect(screen.getByText(/row has no label/)).toBeTruthy();
  expect(screen.queryByText(/may mean several/)).toBeNull();
});

it("asks which column is which where their names do not say so, instead of naming an option", async () => {
  const columns = ["Datei", "Größe", "Art"];
  server.imports = (query) => {
    if (!query.has("path_column")) return { missing: "path_column", columns };
    if (!query.has("label_column")) return { missing: "label_column", columns };
    return { ...PLAN, unread: {} };
  };
  await opened();
  fireEvent.change(await screen.findByLabelText(/names the image/), { target: { value: "Datei" } });
  fireEvent.change(await screen.findByLabelText(/names the class/), { target: { value: "Art" } });
  fireEvent.click(await screen.findByText(/Take over 2 labels/));
  await screen.findByText(/2 labels are taken over/);
  const stored = new URLSearchParams(server.imported.at(-1));
  expect([stored.get("path_column"), stored.get("label_column")]).toEqual(["Datei", "Art"]);
});

it("says by which rule paths were found that are not the very name of an image", async () => {
  const rules = [
    { rule: "case", paths: 1, says: "was found in another case" },
    { rule: "moved", paths: 3, says: "were found as moved" },
  ];
  server.imports = () => ({ ...PLAN, rules });
  await opened();
  expect(await screen.findByText(/path was found in another case/)).toBeTruthy();
  expect(screen.getByText(/paths were found as moved/)).toBeTruthy();
});
