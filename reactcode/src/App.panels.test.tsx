// Progress, review and instructions against a fake server, by key.
import { act, cleanup, fireEvent, render } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { Audit } from "./api";
import { App } from "./App";
import { NO_AUDIT } from "./testing/answers";
import { FakeServer } from "./testing/fakeServer";
import { find, painted, press, serve, server, soon, text } from "./testing/page";

const seen = (selector: string) => document.querySelector<HTMLElement>(selector);
const cells = () => Array.from(document.querySelectorAll<HTMLElement>(".cell"));
const labels = () => cells().map(({ dataset }) => dataset["label"]);
const paths = () => cells().map(({ dataset }) => dataset["path"]);
const received = () => server.received.map(({ image, label, source }) => [image, label, source]);

async function opened(): Promise<void> {
  render(<App />);
  await soon(() => expect(find("image")?.dataset["painted"]).toBe("true"));
}

/** Image 10 was called a hat, but the model has its doubts; 11 and 12 are as it thinks. */
async function reviewed(): Promise<void> {
  server.stored = [
    { image: 10, label: "positive", group: "a", source: "key" },
    { image: 11, label: "negative", group: "b", source: "timeout" },
    { image: 12, label: "skipped", group: "c", source: "key" },
  ];
  server.heldOut.set(10, 0.07).set(11, 0.2);
  await opened();
  press("r");
  await soon(() => expect(cells()).toHaveLength(3));
  await soon(() => expect(document.activeElement).toBe(cells()[0]));
}

describe("review", () => {
  it("shows the most suspicious first, with what the model says without that answer", async () => {
    await reviewed();
    expect(paths()).toEqual(["folder/10.jpg", "folder/11.jpg", "folder/12.jpg"]);
    expect(cells()[0]?.textContent).toContain("model without it: 7 %");
    expect(cells()[1]?.textContent).toMatch(/^folder\/11.jpg\s*AUTO, .*no hat.*20 %$/);
    expect(text("review-count")).toBe("3 answers");
  });

  it("changes the label of the cell in focus, keeps its place, and Backspace takes that back", async () => {
    await reviewed();
    press("j");
    expect(labels()).toEqual(["negative", "negative", "skipped"]);
    expect(cells()[0]?.dataset["changed"]).toBe("true");
    await soon(() => expect(received()).toEqual([[10, "negative", "key"]]));
    press("Backspace");
    await soon(() => expect(labels()).toEqual(["positive", "negative", "skipped"]));
    expect(cells()[0]?.dataset["changed"]).toBe("false");
    expect(server.stored).toContainEqual({ image: 10, label: "positive", group: "a", source: "key" });
    press("r");
    expect(find("image")?.dataset["image"]).toBe("0"); // the image taken back is not asked anew
  });

  it("takes nothing back that was not changed there", async () => {
    await reviewed();
    press("Backspace");
    await soon(() => expect(seen(".lately")?.textContent).toMatch(/^You have changed nothing here yet/));
    expect(server.requests).not.toContain("POST /api/undo");
    expect(server.stored).toHaveLength(3);
  });

  it("opens one large, walks to its neighbours, and comes back to where the focus was", async () => {
    await reviewed();
    fireEvent.click(cells()[0]!);
    await soon(() => expect(document.activeElement).toBe(seen(".closer")));
    press("ArrowRight");
    expect(seen(".closer img")?.getAttribute("alt")).toBe("folder/11.jpg");
    press("f");
    expect(find("closer-label")?.dataset["label"]).toBe("positive");
    press("Escape");
    await soon(() => expect(document.activeElement).toBe(cells()[1]));
    expect(seen(".closer")).toBeNull();
    await soon(() => expect(received()).toEqual([[11, "positive", "key"]]));
    press("Escape");
    expect(seen("dialog.review")).toBeNull();
  });

  it("shows the earlier label again when the server refuses the change", async () => {
    await reviewed();
    server.failure = 422;
    press("j");
    expect(labels()[0]).toBe("negative");
    await soon(() => expect(labels()[0]).toBe("positive"));
    expect(seen(".lately")?.textContent).toContain("The fake server says 422.");
  });

  it("filters by label and by what the model disagrees with, and says when nothing is left", async () => {
    await reviewed();
    fireEvent.change(find("review-label")!, { target: { value: "negative" } });
    await soon(() => expect(paths()).toEqual(["folder/11.jpg"]));
    fireEvent.click(find("review-disagrees")!);
    await soon(() => expect(seen(".empty")?.textContent).toContain("No answer matches these filters."));
    fireEvent.click(seen(".empty button")!);
    await soon(() => expect(cells()).toHaveLength(3));
  });

  it("asks for 60 at a time, and lists each once", async () => {
    serve(new FakeServer(100));
    server.stored = Array.from({ length: 70 }, (_, place) => ({
      image: place + 20,
      label: "negative",
      group: `g${place}`,
    }));
    await opened();
    press("r");
    await soon(() => expect(cells()).toHaveLength(60));
    expect(text("review-count")).toBe("the first 60 of 70 answers");
    press("j", cells()[0]); // the label it has
    fireEvent.click(find("review-more")!);
    await soon(() => expect(new Set(paths()).size).toBe(70));
    expect(find("review-more")).toBeNull();
    expect(server.received).toEqual([]);
  });

  it("says that there is no answer yet, and that the server is away", async () => {
    await opened();
    press("r");
    await soon(() => expect(seen(".empty")?.textContent).toContain("There is no answer yet."));
    server.failure = 0;
    fireEvent.change(find("review-source")!, { target: { value: "timeout" } });
    await soon(() => expect(text("review-count")).toContain("The server is away"));
  });
});

describe("progress", () => {
  it("says in words what the plots show, and without an audit not how many are still to find", async () => {
    server.statistics = {
      answers: 50,
      curve: { answers: [0, 25, 50], positives: [0, 4, 10] },
      asked: { answers: [25, 50], probability: [null, 0.4] },
      prequential: { right: 47, of: 50, low: 0.838, high: 0.979 },
      repeats: { asked: 20, missed: 1, low: 0.009, high: 0.236 },
      sources: { key: 40, button: 0, timeout: 10, api: 0 },
      audit: NO_AUDIT,
    };
    server.changes = { images: 1000 };
    await opened();
    press("p");
    await soon(() => expect(seen(".figures")?.getAttribute("aria-busy")).toBe("false"));
    const plots = Array.from(document.querySelectorAll(".plot"), (plot) => plot.getAttribute("aria-label"));
    expect(plots).toEqual([
      "10 “hat” found in 50 answers. In random order it would be 0.5 on average, if there are no others.",
      "Probability of “hat” when asked, answer by answer. The last: 40 %.",
    ]);
    const words = seen("dialog.progress")?.textContent;
    expect(words).toContain("94 %, 95 % interval 84 to 98 %");
    expect(text("repeats")).toBe("Of 20 AUTO answers asked again blindly, 1 was wrong (1 to 24 %).");
    expect(words).toContain("“hat” still to find–Only answers to random images tell this");
    expect(words).toContain("keys40AUTO10");
  });

  it("compares with random order only once something was found", async () => {
    await opened();
    press("p");
    await soon(() => expect(seen(".figures")?.getAttribute("aria-busy")).toBe("false"));
    expect(seen(".random")).toBeNull();
    expect(find("repeats")).toBeNull();
  });

  it("keeps what was known while the server is away, and says so", async () => {
    server.statistics = { ...server.statistics, answers: 7, sources: { key: 7 } };
    await opened();
    press("p");
    await soon(() => expect(seen(".bars")?.textContent).toBe("keys7"));
    server.failure = 0;
    act(() => server.push());
    await soon(() => expect(seen(".stale")?.textContent).toContain("this is the last known state"));
    expect(seen(".bars")?.textContent).toBe("keys7");
  });
});

const AUDIT: Audit = {
  share: 0.02,
  after: null,
  until: null,
  random: { answered: 60, needed: 50 },
  drawn: 60,
  asked: 64,
  rest: { images: 900, drawn: 60, positives: 1 },
  prevalence: { low: 0.11, high: 0.148 },
  positives: { low: 110, high: 148 },
  to_find: { low: 3, high: 41 },
  recall: { low: 0.723, high: 0.973 },
  certificate: { recall: 0.95, confidence: 0.95, given: false, answers: 412 },
  model: {
    threshold: 0.4,
    precision: { right: 4, of: 5, low: 0.284, high: 0.995 },
    recall: { low: 0.81, high: 0.99 },
  },
  calibration: { images: 60, positives: 1, expected: 4.2, low: 2, high: 7 },
};

describe("audit", () => {
  const shown = () => seen("dialog.progress")?.textContent ?? "";
  const pressed = () => server.requests.filter((request) => request === "PUT /api/audit");
  const told = (changes: Partial<Audit>) => {
    server.statistics = { ...server.statistics, audit: { ...AUDIT, ...changes } };
  };

  async function progress(changes: Partial<Audit> = {}): Promise<void> {
    serve(new FakeServer(1000));
    told(changes);
    await opened();
    press("p");
    await soon(() => expect(seen(".figures")?.getAttribute("aria-busy")).toBe("false"));
  }

  it("says how many are still to find, and what is sure of those found", async () => {
    await progress();
    expect(text("to-find")).toBe("3 to 41");
    expect(shown()).toContain("72 to 98 % of all are found. 95 % interval, from 60 of 900 images");
    expect(text("certificate")).toBe("Not sure yet");
    expect(shown()).toContain(
      "It takes about 412 more answers to images chosen at random, to be sure of 95 %.",
    );
    expect(find("certified")).toBeNull();
  });

  it("says what the model’s labels would be worth, and whether its probabilities fit", async () => {
    await progress();
    expect(shown()).toContain("4 of 5 chosen at random are right, 95 % interval 28 to 100 %");
    expect(shown()).toContain("You and the model together would find 81 to 99 % of all “hat”.");
    expect(text("calibration")).toBe(
      "Of 60 chosen at random, 1 is “hat”; the model’s probabilities say 2 to 7. They are too high.",
    );
    const bars = Array.from(document.querySelectorAll(".share"), (bar) => bar.getAttribute("aria-label"));
    expect(bars).toEqual([
      "Found so far, 95 % interval 72 to 97 %",
      "“hat” that are right: 80 %, 95 % interval 28 to 100 %",
      "“hat” found then, 95 % interval 81 to 99 %",
    ]);
  });

  it("does not say that probabilities agree where hardly a positive was to be expected", async () => {
    await progress({ calibration: { images: 53, positives: 0, expected: 0.4, low: 0, high: 2 } });
    expect(text("calibration")).toBe(
      "Of 53 chosen at random, 0 are “hat”; the model’s probabilities say 0 to 2.",
    );
    told({ calibration: { images: 53, positives: 4, expected: 3, low: 1, high: 5 } });
    act(() => server.push());
    await soon(() => expect(text("calibration")).toContain("They agree with the answers so far."));
  });

  it("tells the time by the pace of this visit", async () => {
    await progress();
    press("Escape");
    const before = server.received.length;
    for (let answers = 1; answers <= 5; answers += 1) {
      await painted();
      press("j");
      await soon(() => expect(server.received).toHaveLength(before + answers));
    }
    press("p");
    await soon(() => expect(shown()).toMatch(/at random, \d+ (h|min).* at your pace, to be sure/));
  });

  it("asks at random until it is sure, and stops that", async () => {
    await progress();
    fireEvent.click(find("at-random")!);
    await soon(() => expect(text("at-random")).toBe("Let the model ask"));
    expect(server.statistics.audit?.share).toBe(1);
    expect(shown()).toContain("All questions are chosen at random until then.");
    fireEvent.click(find("at-random")!);
    await soon(() => expect(text("at-random")).toBe("Ask at random"));
    expect(server.statistics.audit?.share).toBe(0.02);
    expect(pressed()).toHaveLength(2);
  });

  it("says that the server did not take it", async () => {
    await progress();
    server.failure = 503;
    fireEvent.click(find("at-random")!);
    await soon(() => expect(text("note")).toBe("The fake server says 503."));
    expect(text("at-random")).toBe("Ask at random");
  });

  it("claims nothing before an image was drawn, without a model, or where nothing would be called positive", async () => {
    await progress({
      rest: { images: 1000, drawn: 0, positives: 0 },
      recall: null,
      model: null,
      calibration: null,
    });
    expect(text("certificate")).toBe("Not sure yet");
    expect(shown()).toContain("Only answers to random images tell how many it takes, and there is none yet.");
    expect(shown()).not.toMatch(/About \d/);
    expect(find("to-find")).toBeNull();
    expect(shown()).toContain("None of the images was chosen at random yet.");
    expect(shown()).toContain("This needs a model");
    expect(find("calibration")).toBeNull();
    told({ model: { threshold: 0.5, precision: null, recall: null } });
    act(() => server.push());
    await soon(() => expect(shown()).toContain("The model would call none of them “hat”."));
    told({ to_find: { low: 0, high: 0 }, certificate: { ...AUDIT.certificate, answers: 1000 } });
    act(() => server.push());
    await soon(() => expect(text("to-find")).toBe("none"));
    expect(shown()).toContain("to be sure of 95 %: all that are left.");
  });

  it("says once that enough is found, and then only in the panel", async () => {
    const certificate = { ...AUDIT.certificate, given: true, answers: 0 };
    await progress({ certificate });
    expect(find("certified")).toBeNull(); // nothing was found yet
    server.changes = { positives: 100 };
    act(() => server.push());
    expect(text("certificate")).toBe("Yes");
    expect(find("at-random")).toBeNull();
    press("Escape");
    await soon(() => expect(find("certified")).not.toBeNull());
    expect(find("certified")?.textContent).toContain(
      "At least 95 % of all “hat” are found, with 95 % confidence. You may stop.",
    );
    fireEvent.click(find("certified")!.querySelector("button")!);
    expect(find("certified")).toBeNull();
    cleanup();
    await opened();
    expect(find("certified")).toBeNull();
    server.changes = { positives: 100, id: "another run" };
    cleanup();
    await opened();
    expect(find("certified")).not.toBeNull();
  });
});

describe("instructions", () => {
  const shown = () => seen("dialog.instructions");

  beforeEach(() => {
    server.instructions = "# Hats\n\nCaps **count**.";
    server.changes = { instructions: "hash 1" };
  });

  it("are shown once, and behind I afterwards; a newer text is shown again", async () => {
    await opened();
    await soon(() => expect(shown()?.textContent).toContain("Caps count."));
    press("i");
    expect(shown()).toBeNull();
    cleanup();
    await opened();
    expect(shown()).toBeNull();
    press("i");
    await soon(() => expect(shown()?.textContent).toContain("Caps count."));
    press("i");
    server.changes = { instructions: "hash 2" };
    act(() => server.push());
    await soon(() => expect(shown()).not.toBeNull());
  });

  it("are missed in a note where there are none", async () => {
    server.changes = {};
    await opened();
    press("i");
    expect(text("note")).toBe("There are no instructions in this run.");
    expect(find("instructions")).toBeNull();
  });

  it("run nothing, fetch nothing, and take no id of the page", async () => {
    server.instructions = [
      "# Image",
      "<script>alert(1)</script> <img src='https://x.example/1.png' onerror='alert(1)'>",
      "![a cap](https://x.example/2.png) [web](https://x.example/) [own](api/undo) [bad](javascript:alert(1))",
    ].join("\n\n");
    await opened();
    await soon(() => expect(shown()?.textContent).toContain("[a cap]"));
    expect(shown()?.querySelector("img, script, [onerror], [id]:not([id=''])")).toBeNull();
    const links = Array.from(shown()!.querySelectorAll("a"));
    expect(links.every(({ rel, target }) => rel === "noopener noreferrer" && target === "_blank")).toBe(true);
    expect(links.some(({ textContent }) => ["own", "bad"].includes(textContent))).toBe(false);
  });
});
