"""Tiles: large photos asked about in parts. A grid is laid over each, and every part has a path of its own.

`a/b.jpg#6x4-c2-r3` is the second column from the left and the third row from the top, of six and four, of `a/b.jpg` as
a person sees it, upright. No image file's name ends so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from IA.text.arguments import GRID

MARK = "#"
TILE = re.compile(rf"{GRID.pattern}-c([1-9]\d{{0,2}})-r([1-9]\d{{0,2}})", re.ASCII)

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Tile:
    """One part of a photo; columns and rows are counted from 1, at the top left."""

    columns: int
    rows: int
    column: int
    row: int

    def __str__(self) -> str:
        """As it stands behind the mark of a path."""
        return f"{self.columns}x{self.rows}-c{self.column}-r{self.row}"

    def box(self, width_px: int, height_px: int) -> Box:
        """Left, top, right and bottom in a photo of this size, in pixels; neighbours share an edge, nothing is lost.

        Raises:
            ValueError: the photo has fewer pixels than the grid has lines.
        """
        left, right = (round(width_px * (self.column - back) / self.columns) for back in (1, 0))
        top, bottom = (round(height_px * (self.row - back) / self.rows) for back in (1, 0))
        if right <= left or bottom <= top:
            raise ValueError(f"{width_px} x {height_px} pixels are too few for {self.columns} x {self.rows} tiles")
        return left, top, right, bottom

    def whole_px(self, size_px: tuple[int, int], at_least_px: int) -> int:
        """Pixels that the short side of a photo must keep for this tile's short side to keep so many."""
        width_px, height_px = size_px
        most = max(self.columns * height_px, self.rows * width_px)
        return -(-at_least_px * min(size_px) * most // (width_px * height_px))


@dataclass(frozen=True)
class Grid:
    """Into how many parts every photo is cut.

    Attributes:
        columns: side by side.
        rows: one above the other.
    """

    columns: int
    rows: int

    def __str__(self) -> str:
        """As on the command line."""
        return f"{self.columns}x{self.rows}"

    def __len__(self) -> int:
        """How many tiles a photo has."""
        return self.columns * self.rows

    @classmethod
    def from_text(cls, text: str) -> "Grid | None":
        """The grid of a setting, `6x4`: six columns, four rows; None where there is none."""
        found = GRID.fullmatch(text)
        return None if found is None else cls(int(found[1]), int(found[2]))

    def paths(self, photo: str) -> Iterator[str]:
        """The paths of all tiles of a photo, row by row."""
        for row in range(1, self.rows + 1):
            for column in range(1, self.columns + 1):
                yield f"{photo}{MARK}{Tile(self.columns, self.rows, column, row)}"


def split(path: str) -> tuple[str, Tile | None]:
    """The photo that a path leads to, and which tile of it; None: all of it."""
    photo, mark, text = path.rpartition(MARK)
    found = TILE.fullmatch(text) if mark else None
    if found is None or not photo:
        return path, None
    tile = Tile(*map(int, found.groups()))
    if tile.column > tile.columns or tile.row > tile.rows:
        return path, None
    return photo, tile


def photo_of(path: str) -> str:
    """The photo that a path leads to, of which it may be a tile."""
    return split(path)[0]


def split_file(file: Path) -> tuple[Path, Tile | None]:
    """The same as `split`, of a path in the file system."""
    if MARK not in file.name:
        return file, None
    name, tile = split(file.name)
    return (file if tile is None else file.with_name(name)), tile


def grid_of(path: str) -> Grid | None:
    """The grid that a path is a tile of; None: it is a photo."""
    _, tile = split(path)
    return None if tile is None else Grid(tile.columns, tile.rows)
