// Checking answers that look wrong, by key, against a fake server.
import { act, fireEvent, render } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Slip, Status } from "../../api";
import { App } from "../../App";
import { named } from "../../testing/answers";
import { press, server, soon } from "../../testing/page";
import { outcomeOf, whatTheModelSays, whatWasSaid } from "./slips";

const seen = (selector: string) => document.querySelector<HTMLElement>(selector);
const title = () => seen("dialog.slips h2")?.textContent;
const picture = () => seen(".doubted img");
const words = () => seen(".doubted .words")?.textContent;
const received = () => server.received.map(({ image, label, reviewed }) => [image, label, reviewed]);

/** The picture is on the screen. */
async function here(image: number): Promise<void> {
  await soon(() => expect(picture()?.getAttribute("alt")).toBe(`folder/${image}.jpg`));
  fireEvent.load(picture()!);
}

async function opened(): Promise<void> {
  render(<App />);
  await soon(() => expect(seen("#image")?.dataset["painted"]).toBe("true"));
}

/** Of 10, a hat, the model says 3 %, and of 11 and 12, no hats, 90 and 60 %; of 13 it thinks as was answered. */
beforeEach(() => {
  server.stored = [
    { image: 10, label: "positive", group: "a", source: "key" },
    { image: 11, label: "negative", group: "b", source: "timeout" },
    { image: 12, label: "negative", group: "c", source: "button" },
    { image: 13, label: "negative", group: "d", source: "key" },
  ];
  server.heldOut.set(10, 0.03).set(11, 0.9).set(12, 0.6).set(13, 0.1);
});

async function checking(): Promise<void> {
  await opened();
  press("c");
  await here(10);
}

describe("the check of answers that look wrong", () => {
  it("shows each large, the most suspicious first, and a key changes or confirms it", async () => {
    await checking();
    expect(title()).toBe("Check 1 of 3");
    expect(words()).toBe("The answer was “hat” in 0.0 s; a model that did not know it gives “no hat” 97 %.");
    press("j");
    await here(11);
    expect(title()).toBe("Check 2 of 3");
    expect(words()).toMatch(/^Nobody pressed in time, so it became “no hat”; .* “hat” 90 %.$/);
    press("Enter");
    await here(12);
    press("f");
    await soon(() => expect(seen("#slips-end")?.textContent).toContain("2 changed, 1 confirmed."));
    await soon(() =>
      expect(received()).toEqual([
        [10, "negative", true],
        [11, "negative", true],
        [12, "positive", true],
      ]),
    );
    await soon(() => expect(document.activeElement?.textContent).toBe("back to the images"));
    fireEvent.click(document.activeElement!);
    expect(seen("dialog.slips")).toBeNull();
    expect(seen("#image")?.dataset["image"]).toBe("0"); // nothing is asked anew
  });

  it("answers only what can be seen", async () => {
    await opened();
    press("c");
    await soon(() => expect(picture()).not.toBeNull());
    press("j");
    await soon(() => expect(seen(".lately")?.textContent).toBe("The image is not here yet."));
    expect(title()).toBe("Check 1 of 3");
    expect(received()).toEqual([]);
    fireEvent.load(picture()!);
    press("j");
    expect(title()).toBe("Check 2 of 3");
  });

  it("takes the last one back and shows it again, and nothing that was not answered here", async () => {
    await checking();
    press("Backspace");
    await soon(() => expect(seen(".lately")?.textContent).toMatch(/^You have changed nothing here yet/));
    press("Enter");
    await here(11);
    press("f");
    await here(12);
    press("Backspace");
    await here(11);
    await soon(() => expect(server.stored.find(({ image }) => image === 11)?.label).toBe("negative"));
    await soon(() => expect(seen(".lately")?.textContent).toBe("Taken back: hat"));
    press("Backspace");
    await here(10);
    await soon(() => expect(server.stored.some(({ reviewed }) => reviewed)).toBe(false));
    expect(server.stored).toHaveLength(4);
  });

  it("leaves for later what is walked over, and goes on with it", async () => {
    await checking();
    press("ArrowRight");
    await here(11);
    press("ArrowLeft");
    await here(10);
    press("Enter");
    await here(11);
    press("ArrowRight");
    await here(12);
    press("ArrowRight");
    await soon(() =>
      expect(seen("#slips-end")?.textContent).toContain("0 changed, 1 confirmed, 2 left for later."),
    );
    await soon(() => expect(document.activeElement?.textContent).toBe("go on"));
    fireEvent.click(document.activeElement!);
    await here(11);
    expect(title()).toBe("Check 1 of 2");
  });

  it("hides in blind mode what the model says until it is answered", async () => {
    await opened();
    press("b");
    press("c");
    await here(10);
    expect(words()).toBe("The answer was “hat” in 0.0 s.");
    press("j");
    await soon(() => expect(seen(".lately")?.textContent).toContain("gives “no hat” 97 %"));
    press("ArrowLeft");
    expect(words()).toContain("gives “no hat” 97 %");
  });

  it("says that nothing looks wrong, and that the server is away", async () => {
    server.heldOut.clear();
    await opened();
    press("c");
    await soon(() => expect(seen("#slips-end")?.textContent).toContain("No answer looks wrong."));
    press("c");
    expect(seen("dialog.slips")).toBeNull();
    server.failure = 0;
    press("c");
    await soon(() => expect(seen("dialog.slips")?.textContent).toContain("The server is away"));
  });

  it("is reached from the review and from the progress panel, which counts", async () => {
    await opened();
    press("p");
    await soon(() => expect(seen("#slips-left")?.textContent).toBe("3"));
    fireEvent.click(seen("#slips-left ~ button")!);
    await here(10);
    press("c");
    press("r");
    await soon(() => expect(seen("#review-slips")).not.toBeNull());
    fireEvent.click(seen("#review-slips")!);
    await here(10);
  });

  it("holds AUTO while it is open", async () => {
    await checking();
    press("c");
    press("a");
    press("c");
    await here(10);
    await act(() => new Promise((resolve) => setTimeout(resolve, 0)));
    expect(received()).toEqual([]);
  });
});

const slip: Slip = {
  image: 1,
  ...named("1.jpg"),
  version: null,
  label: "negative",
  source: "key",
  time: "",
  shown_ms: 400,
  probability: null,
  held_out: 0.97,
  repeat: false,
  client: "me",
  copy_of: null,
  suspicion: 0.97,
  why: "model",
};
const status = { classes: { positive: "hat", negative: "no hat" } } as Status;

describe("what is said of an answer", () => {
  it.each<[changed: Partial<Slip>, said: string]>([
    [{}, "you said “no hat” in 0.4 s"],
    [{ shown_ms: null }, "you said “no hat”"],
    [{ client: "other" }, "the answer was “no hat” in 0.4 s"],
    [{ client: "api", source: "import", shown_ms: null }, "the answer was “no hat” (imported)"],
    [{ source: "timeout" }, "nobody pressed in time, so it became “no hat”"],
  ])("says who, how fast and how: %o", (changed, said) => {
    expect(whatWasSaid({ ...slip, ...changed }, "me", status)).toBe(said);
  });

  it("says how sure the model is of the other label", () => {
    expect(whatTheModelSays(slip, status)).toBe("a model that did not know it gives “hat” 97 %");
    const other: Slip = { ...slip, label: "positive", held_out: 0.25, why: "fast" };
    expect(whatTheModelSays(other, status)).toBe(
      "that was fast, and a model that did not know it gives “no hat” 75 %",
    );
  });

  it("counts an image once, by what stands of it", () => {
    const correction = (image: number, from: string, to: string) => ({ image, from, to }) as never;
    const given = [
      correction(1, "positive", "negative"),
      correction(2, "positive", "positive"),
      correction(1, "negative", "positive"),
      correction(3, "negative", "skipped"),
    ];
    expect(outcomeOf(given)).toEqual({ changed: 1, confirmed: 2 });
  });
});
