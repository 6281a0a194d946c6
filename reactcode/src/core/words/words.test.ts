// Words: numbers, probabilities, paths; and identifiers.
import { expect, it, vi } from "vitest";
import { clientId, newId } from "../browser";
import { count, inTwo, percent } from "./words";

it("groups digits only from five on", () => {
  expect([0, 3068, 12345].map(count)).toEqual(["0", "3068", "12,345"]);
});

it("writes a probability, or that there is none", () => {
  expect([0.914, 0, 1, null].map(percent)).toEqual(["91 %", "0 %", "100 %", "–"]);
});

it("cuts a path into two parts that make the whole, through no letter", () => {
  for (const path of ["a/b.jpg", "b.jpg", "", "x/".repeat(50) + "\u{1F9E2}".repeat(30), "a/\n\u202E'\""]) {
    const [head, tail] = inTwo(path);
    expect(head + tail).toBe(path);
    expect(() => encodeURIComponent(tail)).not.toThrow(); // as half a letter would
  }
  expect(inTwo("folder/b.jpg")).toEqual(["folder/", "b.jpg"]);
});

it("makes UUIDs where crypto.randomUUID does not exist, and keeps the client's", () => {
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(clientId()).toBe(clientId());
  vi.unstubAllGlobals();
});
