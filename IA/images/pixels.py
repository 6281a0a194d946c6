"""Image files and tiles of them as arrays of upright RGB pixels: libjpeg-turbo for plain JPEG, Pillow for the rest."""

import contextlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from IA.images.orientation import UPRIGHT, orientation
from IA.images.pictures import BAD_IMAGE, UnreadableError, header, is_of_the_system, judged, opened, upright, whole_px
from IA.images.readers.repair import JPEG
from IA.images.tiles import Tile, split_file

PLAIN_PIXELS = 50_000_000  # a plain JPEG has no more pixels than this
PLAIN_BYTES = 64 * 2**20  # and no more bytes
LARGE_PIXELS = 20_000_000


def upright_pixels(path: Path, at_least_px: int | None = None, inside: Path | None = None) -> NDArray[np.uint8]:
    """The pixels of a file or of a tile of it.

    Arguments and errors are those of `IA.images.pictures.open_upright`, but a large picture of any format may come
    smaller, as a JPEG does.

    Returns:
        (H, W, 3) uint8.
    """
    photo, tile = split_file(path)
    return upright_parts(photo, [tile], at_least_px, inside)[0]


def upright_parts(
    photo: Path, tiles: Sequence[Tile | None], at_least_px: int | None = None, inside: Path | None = None
) -> list[NDArray[np.uint8]]:
    """The pixels of several tiles of one photo, which is decoded once.

    Args:
        photo: a file.
        tiles: all of one grid; None stands for the whole photo.
        at_least_px: as for `upright_pixels`.
        inside: likewise.
    """
    with opened(photo, inside) as file, judged():
        keep_px = whole_px(file, tiles[0], at_least_px)
        pixels = _fast_jpeg(file, keep_px)
        if pixels is not None:
            return _cut(pixels, tiles)
        whole = upright(file, keep_px)
        parts = (whole if tile is None else whole.crop(tile.box(*whole.size)) for tile in tiles)
        return [np.array(_smaller(part, at_least_px, LARGE_PIXELS // len(tiles))) for part in parts]


def plain_parts(
    file: BinaryIO, tiles: Sequence[Tile | None], at_least_px: int | None = None
) -> list[NDArray[np.uint8]] | None:
    """As `upright_parts`, for a plain JPEG, the most usual kind of file; None for every other file and a damaged one.

    The header of a plain JPEG bounds the memory and the time that it takes, so threads may decode it without a process
    of their own. Unlike Pillow, libjpeg-turbo does not keep all other threads waiting.
    """
    with contextlib.suppress(UnreadableError), judged():
        pixels = _fast_jpeg(file, whole_px(file, tiles[0], at_least_px))
        return None if pixels is None else _cut(pixels, tiles)
    return None


def _cut(pixels: NDArray[np.uint8], tiles: Sequence[Tile | None]) -> list[NDArray[np.uint8]]:
    """Cut a photo's pixels into tiles, each in memory of its own; the whole photo is not copied."""
    parts = []
    for tile in tiles:
        if tile is None:
            parts.append(pixels)
        else:
            left, top, right, bottom = tile.box(pixels.shape[1], pixels.shape[0])
            parts.append(pixels[top:bottom, left:right].copy())
    return parts


def _fast_jpeg(file: BinaryIO, at_least_px: int | None) -> NDArray[np.uint8] | None:
    """The pixels of a plain JPEG, the same as Pillow's; None if only Pillow can decode it or name what is wrong."""
    file.seek(0)
    if file.read(len(JPEG)) != JPEG or os.fstat(file.fileno()).st_size > PLAIN_BYTES:
        return None
    file.seek(0)
    data = file.read(PLAIN_BYTES)
    try:
        height_px, width_px, *_ = simplejpeg.decode_jpeg_header(data)
        if height_px * width_px > PLAIN_PIXELS:
            return None
        with header(io.BytesIO(data), at_least_px) as image:
            if image.format != "JPEG" or image.mode not in {"RGB", "L"}:
                return None
            shape = image.height, image.width, 3
            pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", min_width=shape[1], min_height=shape[0])
            turn = UPRIGHT.get(orientation(image, file))
    except BAD_IMAGE as error:
        if isinstance(error, MemoryError) or is_of_the_system(error):
            raise
        return None
    if pixels.shape != shape:
        return None
    return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))


def _smaller(picture: Image.Image, at_least_px: int | None, most: int) -> Image.Image:
    """Reduce a picture of more than `most` pixels, which would otherwise be gigabytes to send between processes.

    It becomes as small as a JPEG would have been decoded; a long strip becomes shorter still.
    """
    pixels = picture.width * picture.height
    if at_least_px is None or pixels <= most:
        return picture
    factor = next(factor for factor in (8, 4, 2, 1) if factor * at_least_px <= max(min(picture.size), at_least_px))
    along = max(factor, -(-pixels // (factor * most)))
    return picture.reduce((along, factor) if picture.width > picture.height else (factor, along))
