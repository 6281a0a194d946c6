"""From image files to pixels in a process that must go on, whatever the files hold.

The thread that asks decodes a plain JPEG itself, because the header bounds what that takes. Another process decodes
every other file, and every file that this process was decoding when it last died.
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

MOST_WORKERS = 4  # each may use `IA.images.workers.MEMORY_BYTES`

_workers = Workers(max(1, min(MOST_WORKERS, os.cpu_count() or 1)))
_suspects: Suspects | None = None
atexit.register(_workers.close)


def remember_in(directory: Path) -> None:
    """Note in this directory which files are being decoded, for the process after this one; a loop calls it once."""
    global _suspects
    try:
        _suspects = Suspects(directory)
    except OSError as error:
        log.warning("%s cannot be written (%s): a file that ends this process could end it again", directory, error)


def workers_give_way() -> None:
    """Let the processes that decode for this one give way to what a person waits for; call it before they start."""
    _workers.give_way = True


def pixels(path: Path, at_least_px: int | None = None, inside: Path | None = None) -> NDArray[np.uint8]:
    """The pixels of a file or a tile of it, as of `upright_pixels`; no file can end this process or hold it up."""
    photo, tile = split_file(path)
    return parts(photo, [tile], at_least_px, inside)[0]


def parts(
    photo: Path, tiles: Sequence[Tile | None], at_least_px: int | None = None, inside: Path | None = None
) -> list[NDArray[np.uint8]]:
    """The pixels of several tiles of one photo, which is decoded once; see `pixels`."""
    with opened(photo, inside) as file:
        key = key_of(photo, os.fstat(file.fileno()))
        if _suspects is None or key not in _suspects:
            with contextlib.nullcontext() if _suspects is None else _suspects.under_way(key):
                plain = plain_parts(file, tiles, at_least_px)
            if plain is not None:
                return plain
    return _workers.call(upright_parts, photo.absolute(), tiles, at_least_px, inside)
