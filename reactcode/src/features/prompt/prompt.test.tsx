// What a person looks for: offered before the first answer, previewed while it is typed, kept, changed and dropped.
import { fireEvent, render } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { App } from "../../App";
import { named } from "../../testing/answers";
import { find, painted, press, server, shown, soon, text } from "../../testing/page";

const panel = () => document.querySelector<HTMLElement>("dialog.prompt");
const field = () => find("prompt") as HTMLInputElement;
const images = () => Array.from(document.querySelectorAll<HTMLElement>("#prompt-images li"));
const image = (number: number) => ({
  image: number,
  ...named(`folder/${number}.jpg`),
  version: "v",
  probability: null,
});
const prior = (prompt: string) => ({ sources: prompt === "" ? [] : ["prompt" as const], prompt });

async function opened(): Promise<void> {
  render(<App />);
  await painted();
  press("/");
  await soon(() => expect(document.activeElement).toBe(field()));
}

const type = (words: string) => fireEvent.change(field(), { target: { value: words } });
const enter = () => fireEvent.submit(field());

beforeEach(() => {
  server.wordsLeadTo = (words) => ({
    text: words,
    classes: words === "lynx" ? ["lynx", "bobcat", "tiger cat"] : [],
    images: words === "lynx" ? Array.from({ length: 9 }, (_, place) => image(place + 5)) : [],
    note: words === "lynx" ? "" : "These words lead nowhere.",
  });
});

describe("the offer", () => {
  it("is there before the first answer, never in the way of a key, and gone after it", async () => {
    render(<App />);
    await painted();
    expect(text("prompt-offer")).toContain("What are you looking for?");
    expect(document.activeElement).toBe(document.body);
    press("f");
    await soon(() => expect(server.received).toMatchObject([{ image: 0, label: "positive" }]));
    expect(find("prompt-offer")).toBeNull();
  });

  it("opens the panel, and is put away by its cross", async () => {
    render(<App />);
    await painted();
    fireEvent.click(find("prompt-offer") ?? document.body);
    await soon(() => expect(document.activeElement).toBe(field()));
    press("Escape", document.body);
    await soon(() => expect(panel()).toBeNull());
    fireEvent.click(find("prompt-skip") ?? document.body);
    expect(find("prompt-offer")).toBeNull();
    press("j");
    await soon(() => expect(server.received).toHaveLength(1));
  });

  it.each([
    ["words are there", { prior: prior("hat") }],
    ["there is no model", { loops: { trainer: "off", inference: "off", selector: "off" } as const }],
  ])("is not made where %s", async (_, changes) => {
    server.changes = changes;
    render(<App />);
    await painted();
    expect(find("prompt-offer")).toBeNull();
  });

  it("is not made where somebody has answered before", async () => {
    server.stored = [{ image: 3, label: "negative", group: "a" }];
    render(<App />);
    await painted();
    expect(find("prompt-offer")).toBeNull();
  });
});

describe("the panel", () => {
  it("shows what the words lead to while they are typed", async () => {
    await opened();
    expect(images()).toEqual([]);
    type("lynx");
    await soon(() => expect(text("prompt-classes")).toBe("lynx, bobcat, tiger cat"));
    expect(images().map(({ dataset }) => dataset["image"])).toEqual([
      "5",
      "6",
      "7",
      "8",
      "9",
      "10",
      "11",
      "12",
      "13",
    ]);
    expect(images()[0]?.querySelector("img")?.getAttribute("alt")).toBe("folder/5.jpg");
    expect(find("prompt-classes")?.getAttribute("aria-live")).toBe("polite");
    type("bgrz");
    await soon(() => expect(text("prompt-note")).toBe("These words lead nowhere."));
    expect([text("prompt-classes"), images()]).toEqual(["", []]);
    type(" ");
    expect(text("prompt-note")).toBe("");
    expect(server.previewed).toEqual(["lynx", "bgrz"]);
  });

  it("takes letters as letters: no key of the page works in the field", async () => {
    await opened();
    press("f", field());
    press("/", field());
    expect(panel()).not.toBeNull();
    expect(server.received).toEqual([]);
  });

  it("keeps the words by Enter, and says them in the header, from where they are changed", async () => {
    await opened();
    type(" lynx ");
    enter();
    await soon(() => expect(panel()).toBeNull());
    await soon(() => expect(text("looked-for")).toBe("looking for: lynx"));
    expect(text("note")).toBe("Looking for: lynx.");
    expect(shown()).toBe(0);
    fireEvent.click(find("looked-for") ?? document.body);
    await soon(() => expect(images()).toHaveLength(9));
    expect(field().value).toBe("lynx");
    type("");
    expect(text("prompt-keep")).toContain("Drop the words");
    enter();
    await soon(() => expect(find("looked-for")).toBeNull());
    expect(server.status.prior).toEqual(prior(""));
  });

  it("leaves all as it is by Escape, or where nothing was changed", async () => {
    server.changes = { prior: prior("hat") };
    await opened();
    type("lynx");
    press("Escape", document.body);
    await soon(() => expect(panel()).toBeNull());
    press("/");
    await soon(() => expect(field().value).toBe("hat"));
    enter();
    await soon(() => expect(panel()).toBeNull());
    expect(server.requests).not.toContain("PUT /api/prompt");
  });

  it("says why the words lead nowhere now, and keeps them all the same", async () => {
    server.wordsLeadTo = () => "Inference is down.";
    await opened();
    type("lynx");
    await soon(() => expect(text("prompt-note")).toBe("Inference is down."));
    enter();
    await soon(() => expect(server.status.prior).toEqual(prior("lynx")));
  });

  it("says that words were not kept, and stays", async () => {
    await opened();
    type("lynx");
    server.failure = 503;
    enter();
    await soon(() => expect(text("prompt-note")).toBe("The fake server says 503."));
    expect(panel()).not.toBeNull();
    server.failure = 0;
    enter();
    await soon(() => expect(text("prompt-note")).toBe("The server is away; the words were not kept."));
  });

  it("says how much is too much, and asks nothing", async () => {
    await opened();
    type("x".repeat(10_000));
    expect(text("prompt-note")).toBe("These are 10,000 characters; shorten them to 1000 at most.");
    enter();
    expect(find("prompt-keep")).toHaveProperty("disabled", true);
    expect(server.requests.filter((path) => path.endsWith("/prompt"))).toEqual([]);
  });

  it("opens over the grid, and gives it back", async () => {
    render(<App />);
    await painted();
    press("g");
    await soon(() => expect(find("grid")).not.toBeNull());
    press("/");
    await soon(() => expect(document.activeElement).toBe(field()));
    press("Escape", document.body);
    await soon(() => expect(panel()).toBeNull());
    expect(find("grid")).not.toBeNull();
  });

  it("is named in what the order rests on", async () => {
    server.changes = { prior: { sources: ["examples", "prompt", "scores"], prompt: "hat" } };
    render(<App />);
    await painted();
    fireEvent.click(find("info") ?? document.body);
    await soon(() => expect(text("prior")).toBe("what is like the examples; “hat”; high scores"));
  });
});
