// Tiles of photos: what the path of one says, and how that is written for a person. The server's IA/images/tiles.py names them.

/** One part of a photo; columns and rows are counted from 1, at the top left. */
export interface Tile {
  readonly photo: string;
  readonly columns: number;
  readonly rows: number;
  readonly column: number;
  readonly row: number;
}

const MARK = /^(.+)#([1-9]\d{0,2})x([1-9]\d{0,2})-c([1-9]\d{0,2})-r([1-9]\d{0,2})$/su;

/** The tile that a path leads to; null: it leads to a whole photo. */
export function tileOf(path: string): Tile | null {
  const [, photo, ...numbers] = MARK.exec(path) ?? [];
  const [columns = 0, rows = 0, column = 0, row = 0] = numbers.map(Number);
  return photo === undefined || column > columns || row > rows ? null : { photo, columns, rows, column, row };
}

/** Which tile of its photo it is, and of how many: in two parts. */
export function placeOf({ columns, rows, column, row }: Tile): readonly [string, string] {
  return [`column ${column}, row ${row}`, `of ${columns} x ${rows}`];
}

/** The same for who cannot see it. */
export function spoken({ columns, rows, column, row }: Tile): string {
  return `tile, column ${column} of ${columns}, row ${row} of ${rows}`;
}

/** An image by name: its path, or its photo and which tile of it. */
export function named(path: string): string {
  const tile = tileOf(path);
  return tile === null ? path : `${tile.photo}, ${placeOf(tile).join(" ")}`;
}

/** What is asked about, and counted: images, or tiles of them. */
export function noun(status: { readonly tile?: string | null } | null, count = 2): string {
  return `${status?.tile ? "tile" : "image"}${count === 1 ? "" : "s"}`;
}
