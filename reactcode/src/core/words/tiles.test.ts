// Paths of tiles, read as the server writes them, and what a person reads instead.
import { describe, expect, it } from "vitest";
import { named, noun, spoken, tileOf } from "./tiles";
import { ofPhotos } from "./words";

const PATH = "a/b #1.jpg#6x4-c2-r3";
const TILE = { photo: "a/b #1.jpg", columns: 6, rows: 4, column: 2, row: 3 };

describe("the path of a tile", () => {
  it("says which part of which photo it is", () => {
    expect(tileOf(PATH)).toEqual(TILE);
    expect(tileOf("a\nb.jpg#10x1-c10-r1")).toMatchObject({ photo: "a\nb.jpg", column: 10, row: 1 });
  });

  it.each([
    "a.jpg",
    "a#6x4.jpg",
    "#6x4-c1-r1",
    "a.jpg#6x4-c7-r1",
    "a.jpg#6x4-c1-r5",
    "a.jpg#6x4-c0-r1",
    "a.jpg#6x4-c01-r1",
  ])("is no such path: %s", (path) => {
    expect(tileOf(path)).toBeNull();
    expect(named(path)).toBe(path);
  });
});

describe("a tile in words", () => {
  it("is its photo, and where in it", () => {
    expect(named(PATH)).toBe("a/b #1.jpg, column 2, row 3 of 6 x 4");
    expect(spoken(TILE)).toBe("tile, column 2 of 6, row 3 of 4");
  });

  it("is what is counted where there are tiles", () => {
    expect([noun(null), noun({ tile: null }, 1), noun({ tile: "6x4" }), noun({ tile: "6x4" }, 1)]).toEqual([
      "images",
      "image",
      "tiles",
      "tile",
    ]);
    expect(ofPhotos({ images: 24_000, photos: 1000, tile: "6x4" })).toBe("24,000 tiles of 1000 photos");
    expect(ofPhotos({ images: 2, photos: 1, tile: "2x1" })).toBe("2 tiles of 1 photo");
    expect(ofPhotos({ images: 12, photos: 12, tile: null })).toBe("12");
  });
});
