// A map of where the model looked, as colours over a picture and as words.
import type { HeatMap } from "../../api";

const PIXELS = 12; // pixels of the canvas along each side of a cell of the map; the browser enlarges them
const LEAST = 0.15; // weaker values are not painted
const STRONGEST = 0.6; // the largest opacity: one must still see the picture
const FOR = [255, 140, 0] as const; // orange and blue stay apart for every kind of colour vision
const AGAINST = [30, 110, 230] as const;

/** What a map says at a point: x and y from 0 to 1. Between the middles of places it changes smoothly. */
export function valueAt({ height, width, values }: HeatMap, x: number, y: number): number {
  const [left, across] = between(x, width);
  const [top, down] = between(y, height);
  const at = (row: number, column: number) =>
    values[Math.min(row, height - 1) * width + Math.min(column, width - 1)] ?? 0;
  const upper = mixed(at(top, left), at(top, left + 1), across);
  const lower = mixed(at(top + 1, left), at(top + 1, left + 1), across);
  return mixed(upper, lower, down);
}

/** Red, green, blue (0 to 255) and opacity (0 to 255) of what a place says. */
export function colourOf(value: number): readonly [number, number, number, number] {
  const strength = Math.max(0, (Math.abs(value) - LEAST) / (1 - LEAST));
  const [red, green, blue] = value > 0 ? FOR : AGAINST;
  return [red, green, blue, Math.round(255 * STRONGEST * strength)];
}

/** The map as a picture. */
export function painting(map: HeatMap): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = PIXELS * map.width;
  canvas.height = PIXELS * map.height;
  const brush = canvas.getContext("2d");
  if (brush === null) return canvas;
  const image = brush.createImageData(canvas.width, canvas.height);
  for (let place = 0; place < canvas.width * canvas.height; place += 1) {
    const x = ((place % canvas.width) + 0.5) / canvas.width;
    const y = (Math.floor(place / canvas.width) + 0.5) / canvas.height;
    image.data.set(colourOf(valueAt(map, x, y)), 4 * place);
  }
  brush.putImageData(image, 0, 0);
  return canvas;
}

/** Where the image speaks for and against positive, in words. */
export function sentenceOf(map: HeatMap, name: string): string {
  const [pro, contra] = [placeOf(map, 1), placeOf(map, -1)];
  if (pro === null) return "No part of the image counts more than another.";
  const against = contra === null ? "" : ` Strongest against it: ${contra}.`;
  return `Strongest for “${name}”: ${pro}.${against}`;
}

const ROWS = ["upper", "", "lower"] as const;
const COLUMNS = ["left", "", "right"] as const;

/** Where the picture speaks most for (1) or against (-1) positive; null: nowhere. */
function placeOf({ height, width, values }: HeatMap, sign: 1 | -1): string | null {
  let best = -1;
  for (const [place, value] of values.entries())
    if (sign * value > LEAST && sign * value > sign * (values[best] ?? 0)) best = place;
  if (best < 0) return null;
  const row = ROWS[third(Math.floor(best / width), height)] ?? "";
  const column = COLUMNS[third(best % width, width)] ?? "";
  if (row === "" && column === "") return "the middle";
  if (row === "") return `the ${column} side`;
  return column === "" ? `the ${row} part` : `the ${row} ${column}`;
}

function third(place: number, places: number): number {
  return Math.min(2, Math.floor((3 * (place + 0.5)) / places));
}

/** The cell whose middle lies before, and the share of the way to the next one. */
function between(part: number, places: number): readonly [number, number] {
  const at = Math.min(Math.max(part * places - 0.5, 0), places - 1);
  return [Math.floor(at), at - Math.floor(at)];
}

function mixed(one: number, other: number, part: number): number {
  const eased = part * part * (3 - 2 * part);
  return one + (other - one) * eased;
}
