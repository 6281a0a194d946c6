// Keys: how they are read, whose they are, and how they are changed.
import { beforeEach, expect, it } from "vitest";
import { actionOf, isTaken, keepBindings, keptBindings, keyLabel, keyName, rebound } from "./bindings";
import { DEFAULT_BINDINGS } from "./keys";

const press = (init: KeyboardEventInit) => new KeyboardEvent("keydown", init);

beforeEach(() => localStorage.clear());

it("ignores keys with Ctrl, Meta or Alt, and does not mind Shift or caps lock", () => {
  expect(keyName(press({ key: "f", ctrlKey: true }))).toBeNull();
  expect(keyName(press({ key: "f", metaKey: true }))).toBeNull();
  expect(keyName(press({ key: "f", altKey: true }))).toBeNull();
  expect(keyName(press({ key: "F" }))).toBe("f");
});

it("goes by the place of a key on layouts of other letters, by the letter elsewhere", () => {
  expect(keyName(press({ key: "а", code: "KeyF" }))).toBe("f");
  expect(keyName(press({ key: "a", code: "KeyQ" }))).toBe("a"); // AZERTY
});

it("leaves keys to what has the focus", () => {
  const element = (html: string) => {
    document.body.innerHTML = html;
    return document.body.firstElementChild;
  };
  expect(isTaken(element("<input>"), "f")).toBe(true);
  expect(isTaken(element("<select></select>"), "f")).toBe(true);
  expect(isTaken(element("<textarea></textarea>"), "f")).toBe(true);
  expect(isTaken(element("<input type=range>"), "arrowup")).toBe(true);
  expect(isTaken(element("<input type=range>"), "f")).toBe(false);
  expect(isTaken(element("<button></button>"), " ")).toBe(true);
  expect(isTaken(element("<button></button>"), "f")).toBe(false);
  expect(isTaken(document.body, " ")).toBe(false);
});

it("finds the action of a key", () => {
  expect(actionOf(DEFAULT_BINDINGS, "backspace")).toBe("undo");
  expect(actionOf(DEFAULT_BINDINGS, "ü")).toBeNull();
});

it("rebinds, and refuses what clashes or what the browser needs with a sentence", () => {
  expect(rebound(DEFAULT_BINDINGS, "positive", "u")).toMatchObject({ positive: "u", negative: "j" });
  expect(rebound(DEFAULT_BINDINGS, "positive", "j")).toMatch(/^J is taken by/);
  expect(rebound(DEFAULT_BINDINGS, "positive", "tab")).toMatch(/^Tab cannot be used/);
  expect(rebound(DEFAULT_BINDINGS, "positive", "f")).toEqual(DEFAULT_BINDINGS);
});

it("keeps the keys of a person who has one that a newer action would take", () => {
  const older = { ...DEFAULT_BINDINGS, skipped: "w", photo: undefined };
  localStorage.setItem("ia:keys", JSON.stringify(older));
  const bindings = keptBindings();
  expect(bindings).toEqual({ ...older, photo: bindings.photo });
  expect(new Set(Object.values(bindings)).size).toBe(Object.keys(DEFAULT_BINDINGS).length);
});

it("keeps bindings, and falls back when what was kept makes no sense", () => {
  keepBindings({ ...DEFAULT_BINDINGS, skipped: "ü" });
  expect(keptBindings().skipped).toBe("ü");
  localStorage.setItem("ia:keys", JSON.stringify({ positive: "j", negative: "j" }));
  expect(keptBindings()).toEqual(DEFAULT_BINDINGS);
  localStorage.setItem("ia:keys", "{broken");
  expect(keptBindings()).toEqual(DEFAULT_BINDINGS);
});

it("writes keys for a person", () => {
  expect(["f", " ", "backspace", "arrowleft", "pageup"].map(keyLabel)).toEqual([
    "F",
    "Space",
    "⌫",
    "←",
    "Pageup",
  ]);
});
