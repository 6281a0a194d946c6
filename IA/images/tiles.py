"""Tiles: the parts that a grid cuts a large photo into, each of which is an image with a path of its own.

`a/b.jpg#6x4-c2-r3` is the tile in the second of six columns from the left and the third of four rows from the top, of
`a/b.jpg` as a person sees it, upright. The name of an image file never ends like this.
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
        """The tile as it stands behind the mark of a path."""
        return f"{self.columns}x{self.rows}-c{self.column}-r{self.row}"

    def box(self, width_px: int, height_px: int) -> Box:
        """Left, top, right and bottom of the tile in a photo of this size, in pixels; neighbours share an edge.

        Raises:
            ValueError: the photo has fewer pixels than the grid has lines.
        """
        left, right = (round(width_px * (self.column - back) / self.columns) for back in (1, 0))
        top, bottom = (round(height_px * (self.row - back) / self.rows) for back in (1, 0))
        if right <= left or bottom <= top:
            raise ValueError(f"{width_px} x {height_px} pixels are too few for {self.columns} x {self.rows} tiles")
        return left, top, right, bottom

    def whole_px(self, size_px: tuple[int, int], at_least_px: int) -> int:
        """How many pixels the short side of the photo must keep, so that the tile's short side keeps `at_least_px`."""
        width_px, height_px = size_px
        most = max(self.columns * height_px, self.rows * width_px)
        return -(-at_least_px * min(size_px) * most // (width_px * height_px))


@dataclass(frozen=True)
class Grid:
    """How many columns and rows every photo is cut into.

    Attributes:
        columns: side by side.
        rows: one above the other.
    """

    columns: int
    rows: int

    def __str__(self) -> str:
        """The grid as on the command line."""
        return f"{self.columns}x{self.rows}"

    def __len__(self) -> int:
        """How many tiles a photo has."""
        return self.columns * self.rows

    @classmethod
    def from_text(cls, text: str) -> "Grid | None":
        """The grid of a setting such as `6x4`, six columns and four rows; None if the text is no grid."""
        found = GRID.fullmatch(text)
        return None if found is None else cls(int(found[1]), int(found[2]))

    def paths(self, photo: str) -> Iterator[str]:
        """The paths of all tiles of a photo, row by row."""
        for row in range(1, self.rows + 1):
            for column in range(1, self.columns + 1):
                yield f"{photo}{MARK}{Tile(self.columns, self.rows, column, row)}"


def split(path: str) -> tuple[str, Tile | None]:
    """The photo that a path leads to, and the tile of it; None for the whole photo."""
    photo, mark, text = path.rpartition(MARK)
    found = TILE.fullmatch(text) if mark else None
    if found is None or not photo:
        return path, None
    tile = Tile(*map(int, found.groups()))
    if tile.column > tile.columns or tile.row > tile.rows:
        return path, None
    return photo, tile


def photo_of(path: str) -> str:
    """The photo that a path leads to, whether the path is the photo itself or a tile of it."""
    return split(path)[0]


def split_file(file: Path) -> tuple[Path, Tile | None]:
    """As `split`, for a path in the file system."""
    if MARK not in file.name:
        return file, None
    name, tile = split(file.name)
    return (file if tile is None else file.with_name(name)), tile


def grid_of(path: str) -> Grid | None:
    """The grid that the tile with this path belongs to; None if the path is a whole photo."""
    _, tile = split(path)
    return None if tile is None else Grid(tile.columns, tile.rows)
