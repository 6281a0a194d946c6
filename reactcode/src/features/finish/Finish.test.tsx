// Finish against a fake server: what would be labelled, deciding, the doubtful band, and taking it back.
import { act, fireEvent, render } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { FinishPreview } from "../../api";
import { App } from "../../App";
import { named } from "../../testing/answers";
import { find, press, server, soon, text } from "../../testing/page";

const panel = () => document.querySelector<HTMLElement>("dialog.finish");
const click = (id: string) => fireEvent.click(find(id) ?? document.body);
const example = (image: number, probability: number) => ({
  image,
  ...named(`folder/${image}.jpg`),
  version: "v",
  probability,
});

const HOPEFUL: FinishPreview = {
  threshold: 0.4,
  checkpoint: 12,
  positive: 1204,
  negative: 38112,
  unscored: 7,
  drawn: 60,
  drawn_positive: 44,
  positive_known: true,
  precision: { low: 0.812, high: 0.988, right: 41, of: 44 },
  recall: { low: 0.9, high: 0.99 },
  histogram: Array.from({ length: 50 }, (_, bin) => 50 - bin),
  random: { answered: 60, needed: 50 },
  doubtful: { low: 0.2, high: 0.8, images: 86, next: 86 },
  examples: {
    above: [example(1, 0.95)],
    at: [example(2, 0.41), example(3, 0.39)],
    below: [example(4, 0.01)],
  },
  standing: null,
  writing: null,
  trouble: null,
};

async function finishing(): Promise<void> {
  render(<App />);
  await soon(() => expect(find("image")?.dataset["painted"]).toBe("true"));
  press("e");
  await soon(() => expect(panel()).not.toBeNull());
  await soon(() => expect(panel()?.querySelector(".finishing")?.getAttribute("aria-busy")).toBe("false"));
}

beforeEach(() => {
  server.preview = HOPEFUL;
});

describe("finish", () => {
  it("says what becomes of the rest, how right that is, and shows examples as labels of the model", async () => {
    await finishing();
    expect(text("becoming")).toContain("1204 become “hat”");
    expect(text("becoming")).toContain("38,112 become “no hat”");
    expect(text("becoming")).toContain("7 get no label");
    expect(text("finish-precision")).toBe("81 to 99 % of 1204 labels are right");
    expect(text("finish-recall")).toBe("90 to 99 % of all are found");
    const labels = Array.from(document.querySelectorAll<HTMLElement>(".by-model")).map(
      ({ dataset }) => dataset["label"],
    );
    expect(labels).toEqual(["positive", "positive", "negative", "negative"]);
    expect(panel()?.textContent).toContain("41 %");
  });

  it("hides probabilities from whoever hides them", async () => {
    localStorage.setItem("ia:blind", "true");
    await finishing();
    expect(document.querySelector(".chance")).toBeNull();
  });

  it("labels only after a second word, by what was looked at, and takes it back", async () => {
    await finishing();
    fireEvent.change(find("threshold") ?? document.body, { target: { value: "0.55" } });
    expect(find("finish-ask")).toHaveProperty("disabled", true); // these figures are of another threshold
    await soon(() => expect(find("finish-ask")).toHaveProperty("disabled", false));
    click("finish-ask");
    expect(server.decisions).toEqual([]);
    expect(panel()?.textContent).toContain("Your answers stay as they are");
    click("finish-now");
    await soon(() => expect(text("finished")).toContain("1204 “hat” and 38,112 “no hat”"));
    expect(server.decisions).toMatchObject([{ threshold: 0.55, checkpoint: 12 }]);
    expect(find("finished")?.className).toContain("by-model");
    click("finish-undo");
    await soon(() => expect(find("finished")).toBeNull());
  });

  it("says why nothing was labelled", async () => {
    await finishing();
    server.failure = 409;
    click("finish-ask");
    click("finish-now");
    await soon(() => expect(text("finish-trouble")).toContain("The fake server says 409."));
    expect(find("finished")).toBeNull();
  });

  it("sends the doubtful band to the queue by key, as wide as the person wants it", async () => {
    await finishing();
    expect(text("doubtful")).toBe("86");
    fireEvent.change(find("doubtful-low") ?? document.body, { target: { value: "30" } });
    await soon(() => expect(find("ask-next")).toHaveProperty("disabled", false));
    press("q");
    await soon(() => expect(panel()).toBeNull());
    expect(server.decisions).toEqual([{ low: 0.3, high: 0.8, threshold: 0.4 }]);
    expect(text("note")).toBe("86 doubtful images come next.");
  });

  it("says how many of many doubtful ones are asked next", async () => {
    server.preview = { ...HOPEFUL, doubtful: { ...HOPEFUL.doubtful, images: 1234, next: 200 } };
    await finishing();
    expect(text("doubtful")).toBe("1234");
    expect(text("ask-next")).toContain("Ask me the 200 nearest next");
    click("ask-next");
    await soon(() => expect(text("note")).toBe("200 doubtful images come next."));
  });

  it("is off while too few random answers tell how right it would be, asks them, and comes back", async () => {
    const random = { answered: 12, needed: 50 };
    server.preview = { ...HOPEFUL, drawn: 0, precision: null, recall: null, random };
    await finishing();
    expect(panel()?.textContent).toContain("Nobody can tell yet");
    expect(find("finish-precision")).toBeNull();
    expect(find("finish-ask")).toHaveProperty("disabled", true);
    expect(text("finish-missing")).toContain("12 of 50 are given");
    expect(text("finish-random")).toBe("Answer 38 at random");
    click("finish-random");
    await soon(() => expect(panel()).toBeNull());
    await soon(() => expect(text("first")).toBe("random: 38 of 50 left"));
    expect(server.decisions).toEqual([{ share: 1, until: 50 }]);
    server.preview = { ...HOPEFUL, random: { answered: 50, needed: 50 } };
    server.changes = { asked_first: { why: "random", images: 50, left: 0 } };
    act(() => server.push());
    await soon(() => expect(find("finish-ask")).toHaveProperty("disabled", false));
    expect(find("first-over")).toBeNull();
    press("Escape");
    await soon(() => expect(panel()).toBeNull());
    expect(find("first-over")).toBeNull();
    act(() => server.push());
    expect(panel()).toBeNull(); // once is enough
  });

  it("offers to ask what would become positive where random answers do not tell how right that is", async () => {
    const unknown = { drawn_positive: 2, positive_known: false, positive: 20 };
    server.preview = { ...HOPEFUL, ...unknown, precision: { low: 0, high: 1, right: 1, of: 2 } };
    await finishing();
    click("finish-ask");
    expect(text("finish-unknown")).toBe(
      "Nobody knows how right these 20 “hat” labels are: only 2 random answers are about what the model would call “hat”.",
    );
    const buttons = Array.from(
      panel()?.querySelectorAll(".confirm button") ?? [],
      (button) => button.textContent,
    );
    expect(buttons).toEqual(["Answer these 20", "Label anyway", "Not yet"]);
    click("finish-answer");
    await soon(() => expect(panel()).toBeNull());
    expect(server.decisions).toEqual([{ low: 0.4, high: 1, threshold: 0.4 }]);
  });

  it("does not offer to ask more of these than a person would answer", async () => {
    server.preview = { ...HOPEFUL, drawn_positive: 0, positive_known: false, positive: 201 };
    await finishing();
    click("finish-ask");
    expect(text("finish-unknown")).toContain("no random answer is about");
    expect(find("finish-answer")).toBeNull();
    expect(text("finish-now")).toBe("Label anyway");
  });

  it("says that it needs a model", async () => {
    server.preview = { ...HOPEFUL, checkpoint: null };
    await finishing();
    expect(panel()?.textContent).toContain("There is no model yet");
    expect(find("finish-ask")).toBeNull();
  });
});
