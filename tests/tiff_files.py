"""TIFF files byte by byte, in layouts that no package here writes."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORT, LONG, LONG8 = 3, 4, 16
SIZES = {SHORT: 2, LONG: 4, LONG8: 8}


def packed(values: NDArray[Any], bits: int) -> bytes:
    """Rows of whole numbers (H, N) of `bits` bits each, the highest bit first; each row is filled up to a byte."""
    shifts = np.arange(bits - 1, -1, -1)
    single = (values[..., None].astype(np.uint64) >> shifts.astype(np.uint64)) & np.uint64(1)
    return np.packbits(single.astype(np.uint8).reshape(len(values), -1), axis=1).tobytes()


def raw(values: NDArray[Any], bits: int, order: str) -> bytes:
    """The bytes of values (H, N) in a file: whole bytes in its order, other widths packed."""
    if values.dtype.kind == "f" or bits in {8, 16, 32, 64}:
        return values.astype(f"{order}{values.dtype.str[1:]}").tobytes()
    return packed(values, bits)


def tiff(
    values: NDArray[Any],
    bits: int,
    order: str = "<",
    big: bool = False,
    photometric: int = 1,
    extra: int | None = None,
    planar: bool = False,
    kind: int = 1,
    rows: int | None = None,
    tile: int | None = None,
    compression: int = 1,
    more: tuple[tuple[int, int, tuple[int, ...]], ...] = (),
    pack: Any = bytes,
) -> bytes:
    """A TIFF of one page.

    Args:
        values: (H, W) or (H, W, S), in a dtype of `bits` bits, or a larger one if the bits are packed.
        bits: bits of a sample.
        order: "<" or ">".
        big: BigTIFF.
        photometric: the value of the tag.
        extra: the kind of the last sample; None: a colour like the others.
        planar: each sample in a plane of its own.
        kind: the sample format: 1 whole numbers, 2 with a sign, 3 floats.
        rows: rows in a strip; None: all rows are in one strip.
        tile: side of square tiles, which replace strips.
        compression: the value of the tag.
        more: further tags.
        pack: makes the stored bytes from the bytes of a strip or tile.
    """
    pixels = values[..., None] if values.ndim == 2 else values
    height, width, samples = pixels.shape
    planes = [pixels[..., [sample]] for sample in range(samples)] if planar else [pixels]
    pieces = []
    for plane in planes:
        if tile is None:
            step = rows or height
            parts = [plane[top : top + step] for top in range(0, height, step)]
        else:
            filled = np.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)))
            parts = [
                filled[top : top + tile, left : left + tile]
                for top in range(0, height, tile)
                for left in range(0, width, tile)
            ]
        pieces += [pack(raw(part.reshape(len(part), -1), bits, order)) for part in parts]
    word, head_bytes = (LONG8, 16) if big else (LONG, 8)
    places, place = [], head_bytes
    for piece in pieces:
        places.append(place)
        place += len(piece)
    lengths = tuple(map(len, pieces))
    tags: list[tuple[int, int, tuple[int, ...]]] = [
        (256, LONG, (width,)), (257, LONG, (height,)), (258, SHORT, (bits,) * samples), (259, SHORT, (compression,)),
        (262, SHORT, (photometric,)), (277, SHORT, (samples,)), (284, SHORT, (2 if planar else 1,)),
        (339, SHORT, (kind,) * samples), *more,
    ]  # fmt: skip
    if tile is None:
        tags += [(273, word, tuple(places)), (278, LONG, (rows or height,)), (279, word, lengths)]
    else:
        tags += [(322, LONG, (tile,)), (323, LONG, (tile,)), (324, word, tuple(places)), (325, word, lengths)]
    if extra is not None:
        tags.append((338, SHORT, (extra,)))
    return _head(order, big, place) + b"".join(pieces) + _directory(sorted(tags), order, big, place)


def _head(order: str, big: bool, place: int) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    return mark + (struct.pack(f"{order}HHHQ", 43, 8, 0, place) if big else struct.pack(f"{order}HI", 42, place))


def _directory(tags: list[tuple[int, int, tuple[int, ...]]], order: str, big: bool, place: int) -> bytes:
    count, entry, field = ("Q", "HHQ", 8) if big else ("H", "HHI", 4)
    word = "Q" if big else "I"
    behind = place + struct.calcsize(f"={count}") + len(tags) * (struct.calcsize(f"={entry}") + field) + field
    entries, far = b"", b""
    for tag, kind, values in tags:
        code = {SHORT: "H", LONG: "I", LONG8: "Q"}.get(kind, "B")
        data = struct.pack(f"{order}{len(values)}{code}", *values)
        if len(data) > field:
            far, data = far + data, struct.pack(f"{order}{word}", behind + len(far))
        entries += struct.pack(f"{order}{entry}", tag, kind, len(values)) + data.ljust(field, b"\0")
    return struct.pack(f"{order}{count}", len(tags)) + entries + struct.pack(f"{order}{word}", 0) + far
