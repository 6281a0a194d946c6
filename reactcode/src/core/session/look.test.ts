// How a look is kept and written.
import { expect, it } from "vitest";
import { checkedLook, filterOf, PLAIN, written } from "./look";

it("is no filter at all while it is plain", () => {
  expect(filterOf(PLAIN)).toBe("none");
});

it("is a filter of just what was changed", () => {
  expect(filterOf({ ...PLAIN, contrast: 150 })).toBe("contrast(150%)");
  expect(filterOf({ contrast: 150, brightness: 80, gamma: 2, invert: true })).toBe(
    "url(#gamma-filter) contrast(150%) brightness(80%) invert(1)",
  );
});

it("is plain wherever what was kept is no look", () => {
  for (const kept of [undefined, null, 5, "x", [], { contrast: "150", gamma: 99, invert: 1 }])
    expect(checkedLook(kept)).toEqual(PLAIN);
  const look = { contrast: 150, brightness: 80, gamma: 2.1, invert: true };
  expect(checkedLook({ ...look, more: 1 })).toEqual(look);
  expect(checkedLook({ contrast: 150, brightness: 80 })).toEqual({ ...PLAIN, contrast: 150, brightness: 80 });
});

it("is written with its units", () => {
  expect([written("contrast", PLAIN), written("gamma", PLAIN)]).toEqual(["100 %", "1.0"]);
});
