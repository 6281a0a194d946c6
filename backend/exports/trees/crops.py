"""Cuts tiles out of their photos, in another process, for the formats that hold the images.

A photo is decoded once for consecutive tiles, as far as these fit into memory together.
"""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from backend.exports.pictures import MissingError, Pictures, reason, state
from backend.images.file_names import fitting
from backend.previews.rendering import render_tiles
from backend.store.table import Answer
from IA.images.pictures import UnreadableError
from IA.images.tiles import Tile, split
from IA.images.workers import Workers
from IA.text.image_files import IMAGE_SUFFIXES

AT_ONCE_PX = 25_000_000  # Tiles of so many pixels in all are made together: a photo of most cameras.
CHANGED = "it was changed while it was read"
SUFFIX = ".jpg"

Placed = tuple[Answer, str | None]
"""An answer, and the path of its image in the export; None: the image is left out."""


@dataclass(frozen=True)
class Crop:
    """The result of cutting out one tile.

    Attributes:
        content: the encoded bytes; empty if the tile could not be made.
        changed_ns: when its photo was last written, in nanoseconds since 1970, because a float cannot hold every time.
        lacks: what is wrong with it; "": nothing.
    """

    content: bytes
    changed_ns: int = 0
    lacks: str = ""


def name_of(photo: str, tile: Tile) -> str:
    """A name for the file of a tile that no tile of another photo has: `a/b.jpg` gives `a/b.6x4-c2-r3.jpg`.

    An ending other than .jpg stays in the name, because `a/b.png` may exist beside it. A name that becomes too long is
    cut; the table beside the images has the photo of each tile.
    """
    place = PurePosixPath(photo)
    is_plain = place.suffix == SUFFIX and PurePosixPath(place.stem).suffix.lower() not in IMAGE_SUFFIXES
    return str(place.with_name(fitting(place.stem if is_plain else place.name, f".{tile}{SUFFIX}")))


def cropped(placed: Iterable[Placed], pictures: Pictures) -> Iterator[tuple[Answer, str | None, Crop | None]]:
    """Yield the same pairs, each tile that has a place with its crop, all others with None."""
    with contextlib.closing(Workers(1)) as workers:
        for photo, group in itertools.groupby(placed, key=_photo_of_tile):
            if photo is None:
                yield from ((answer, place, None) for answer, place in group)
                continue
            while some := _some(photo, group, pictures):
                wanted = [tile for _, place, tile in some if place is not None]
                crops = iter(_crops(photo, wanted, pictures, workers) if wanted else ())
                for answer, place, _ in some:
                    yield answer, place, None if place is None else next(crops)


def _photo_of_tile(placed: Placed) -> str | None:
    photo, tile = split(placed[0].path)
    return None if tile is None else photo


def _some(photo: str, group: Iterator[Placed], pictures: Pictures) -> list[tuple[Answer, str | None, Tile]]:
    """The next tiles of a photo, as many as fit into memory together."""
    some: list[tuple[Answer, str | None, Tile]] = []
    most = 1
    for answer, place in group:
        _, tile = split(answer.path)
        if tile is None:
            raise ValueError(answer.path)
        if not some:
            with contextlib.suppress(MissingError):  # Making the tile reports it.
                width_px, height_px = pictures.size_px(photo)
                most = max(1, AT_ONCE_PX * tile.columns * tile.rows // max(1, width_px * height_px))
        some.append((answer, place, tile))
        if len(some) >= most:
            break
    return some


def _crops(photo: str, tiles: Sequence[Tile], pictures: Pictures, workers: Workers) -> list[Crop]:
    """The crops of tiles of one photo, in the same order."""
    try:
        with pictures.open(photo) as file:
            before = state(file)
            made = workers.call(render_tiles, pictures.place(photo).absolute(), tiles, pictures.inside)
            lacks = CHANGED if state(file) != before else ""
            return [Crop(content, before[1], lacks) for content in made]
    except MissingError as error:
        lacks = str(error)
    except UnreadableError as error:
        lacks = reason(error)
    return [Crop(b"", lacks=lacks)] * len(tiles)
