// What comes before all else: how much is left of it, and that it is over.
import { act, fireEvent, render, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { AskedFirst } from "../../api";
import { App } from "../../App";
import { find, press, server, text } from "../../testing/page";

async function opened(first: AskedFirst | null): Promise<void> {
  server.changes = { asked_first: first };
  render(<App />);
  await waitFor(() => expect(find("image")?.dataset["painted"]).toBe("true"));
}

function now(first: AskedFirst | null): void {
  server.changes = { asked_first: first };
  act(() => server.push());
}

describe("what is asked first", () => {
  it("says how much is left, and at the end that it is over, with the way back to Finish", async () => {
    await opened(null);
    expect(find("first")).toBeNull();
    now({ why: "doubtful", images: 3, left: 2 });
    expect(text("first")).toBe("doubtful: 2 of 3 left");
    expect(find("first-over")).toBeNull();
    now({ why: "doubtful", images: 3, left: 0 });
    expect(find("first")).toBeNull();
    expect(text("first-over")).toContain("No doubtful image is left");
    fireEvent.click(find("first-over")?.querySelector(".switch") ?? document.body);
    await waitFor(() => expect(document.querySelector("dialog.finish")).not.toBeNull());
    expect(find("first-over")).toBeNull();
  });

  it("goes on where an answer is taken back, and is over once more", async () => {
    await opened({ why: "like", images: 40, left: 1 });
    now({ why: "like", images: 40, left: 0 });
    expect(text("first-over")).toContain("most similar");
    now({ why: "like", images: 40, left: 1 });
    expect(find("first-over")).toBeNull();
    expect(text("first")).toBe("most similar: 1 of 40 left");
    now({ why: "like", images: 40, left: 0 });
    fireEvent.click(find("first-over")?.querySelector(".text") ?? document.body);
    expect(find("first-over")).toBeNull();
  });

  it("leads a page that did not ask for the random ones to Finish, and opens nothing by itself", async () => {
    await opened({ why: "random", images: 50, left: 2 });
    expect(text("first")).toBe("random: 2 of 50 left");
    now({ why: "random", images: 50, left: 0 });
    expect(text("first-over")).toContain("All 50 random images are answered");
    expect(document.querySelector("dialog.finish")).toBeNull();
    expect(find("first-over")?.querySelector(".switch")?.textContent).toContain("Finish");
  });

  it("says nothing of what was over before the page came", async () => {
    await opened({ why: "doubtful", images: 3, left: 0 });
    expect(find("first-over")).toBeNull();
  });

  it("is told in the grid, too", async () => {
    await opened({ why: "doubtful", images: 30, left: 21 });
    press("g");
    await waitFor(() => expect(find("grid")).not.toBeNull());
    expect(text("first")).toBe("doubtful: 21 of 30 left");
  });
});
