"""Image files to pixels in a process that must go on, whatever the files are.

A plain JPEG is decoded in the thread that asks: what it may take is bounded by its header. Everything else, and a file
that was being decoded when this process last died, goes to a process of its own.
"""

import atexit
import contextlib
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.images.pictures import opened
from IA.images.pixels import plain_parts, upright_parts
from IA.images.suspects import Suspects, key_of
from IA.images.tiles import Tile, split_file
from IA.images.workers import Workers

log = logging.getLogger(__name__)

MOST_WORKERS = 4  # each may take `IA.images.workers.MEMORY_BYTES`

_workers = Workers(max(1, min(MOST_WORKERS, os.cpu_count() or 1)))
_suspects: Suspects | None = None
atexit.register(_workers.close)


def remember_in(directory: Path) -> None:
    """Keep in mind what is under way, for the process that comes after a death of this one; a loop calls it once."""
    global _suspects
    try:
        _suspects = Suspects(directory)
    except OSError as error:
        log.warning("%s cannot be written (%s): a file that ends this process could end it again", directory, error)


def workers_give_way() -> None:
    """Let the processes that decode for this one give way to what a person waits for; none may have been started."""
    _workers.give_way = True


def pixels(path: Path, at_least_px: int | None = None, inside: Path | None = None) -> NDArray[np.uint8]:
    """One image, a file or a tile of it, as `upright_parts`; no file can crash, fill or hold this up."""
    photo, tile = split_file(path)
    return parts(photo, [tile], at_least_px, inside)[0]


def parts(
    photo: Path, tiles: Sequence[Tile | None], at_least_px: int | None = None, inside: Path | None = None
) -> list[NDArray[np.uint8]]:
    """Several tiles of one photo, likewise: it is decoded once."""
    with opened(photo, inside) as file:
        key = key_of(photo, os.fstat(file.fileno()))
        if _suspects is None or key not in _suspects:
            with contextlib.nullcontext() if _suspects is None else _suspects.under_way(key):
                plain = plain_parts(file, tiles, at_least_px)
            if plain is not None:
                return plain
    return _workers.call(upright_parts, photo.absolute(), tiles, at_least_px, inside)
