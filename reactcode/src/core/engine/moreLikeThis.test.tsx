// More like this, by key and by button, against a fake server.
import { fireEvent, render, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { App } from "../../App";
import { find, painted, press, server, soon } from "../../testing/page";

const note = () => find("note")?.textContent;
const asked = () => server.requests.filter((request) => request === "GET /api/queue").length;

beforeEach(async () => {
  render(<App />);
  await painted(0);
});

describe("more like this", () => {
  it("asks for what is like the image shown, and for the queue anew; again takes that back", async () => {
    const before = asked();
    press("m");
    await soon(() => expect(note()).toBe("The 40 most similar come next."));
    await soon(() => expect(asked()).toBeGreaterThan(before));
    press("m");
    await soon(() => expect(note()).toBe("The questions come in the usual order again."));
    press("m");
    await soon(() => expect(server.liked).toEqual([0, null, 0]));
  });

  it("is about the past image that is walked to, and a new wish for each image", async () => {
    press("m");
    await soon(() => expect(server.liked).toEqual([0]));
    press("f");
    await painted(1);
    fireEvent.click(find("like") ?? document.body);
    await soon(() => expect(server.liked).toEqual([0, 1]));
    press("ArrowLeft");
    await painted(0);
    press("m");
    await soon(() => expect(server.liked).toEqual([0, 1, 0]));
  });

  it("says why it cannot be, and does not take that for done", async () => {
    server.failure = 503;
    press("m");
    await soon(() => expect(note()).toMatch(/\./));
    server.failure = null;
    press("m");
    await soon(() => expect(server.liked).toEqual([0]));
  });

  it("works in the review, by key and large by button", async () => {
    press("f");
    await painted(1);
    await soon(() => expect(server.stored).toHaveLength(1));
    press("r");
    await soon(() => expect(document.activeElement?.matches(".cell")).toBe(true));
    press("m", document.activeElement ?? undefined);
    await soon(() => expect(server.liked).toEqual([0]));
    fireEvent.click(document.activeElement ?? document.body);
    fireEvent.click(await waitFor(() => find("closer-like") ?? expect.fail("no button")));
    await soon(() => expect(server.liked).toEqual([0, null]));
  });
});
