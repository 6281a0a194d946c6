// What stands under "About this run", against a fake server.
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";
import { App } from "../../App";
import { server } from "../../testing/page";

async function opened(): Promise<void> {
  render(<App />);
  await waitFor(() => expect(screen.getByLabelText(/About this run/)).toBeTruthy());
  fireEvent.click(screen.getByLabelText(/About this run/));
  await screen.findByText("folder");
}

it("says how a file of scores was read", async () => {
  server.changes = { scores: "mine.csv: 2 of 3 images have a score from 0 to 1, read as probabilities." };
  await opened();
  expect(screen.getByText(/^mine.csv: 2 of 3 images/)).toBeTruthy();
});

it("says nothing of scores where there are none", async () => {
  await opened();
  expect(screen.queryByText("scores")).toBeNull();
});

it("names the network in force, and what comes behind it only where something does", async () => {
  server.changes = { network: "lite0", behind: "lite2: 40 % read, takes over if it is better." };
  await opened();
  expect(screen.getByText(/, by lite0$/)).toBeTruthy();
  expect(screen.getByText(/^lite2: 40 % read/)).toBeTruthy();
});

it("says nothing of a network behind where there is none", async () => {
  await opened();
  expect(screen.queryByText("behind it")).toBeNull();
});
