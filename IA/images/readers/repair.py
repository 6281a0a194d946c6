"""Repair of files that Pillow refuses and every browser shows: cut off near their end, or odd beside the picture.

Lost rows are grey in a JPEG and black in a PNG, for the person and for the network. The repair reports them.
"""

import io
import itertools
import os
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

from IA.images.readers.bigtiff import BIG, classic_directory

MOST_LOST = 0.1  # with a larger share of lost rows, a person could miss what decides the answer
MAX_BYTES = 128 * 2**20
JPEG = b"\xff\xd8\xff"
JPEG_HEADER_BYTES = 2**20  # the picture of a JPEG begins within this many bytes
SCAN, END = 0xDA, 0xD9  # markers of a JPEG
BESIDE = frozenset({0xE0, *range(0xE2, 0xEE), 0xEF, 0xFE})  # markers beside the picture, except EXIF, XMP and `ADOBE`
ADOBE, ADOBE_BYTES = 0xEE, 16  # the segment that says how colours are stored: its marker, and its length with that
MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd8\xff])")
LOST = (127, 129)  # a decoder makes values in this range of missing coefficients, in every colour
CLASSIC = b"MM\0*"  # a big-endian TIFF begins like this
PNG = b"\x89PNG\r\n\x1a\n"
SHOWN = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")  # the chunks of a PNG that make its picture
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # number of channels by the colour type of a PNG
HEADER = struct.Struct(">2I5B")  # the header of a PNG: width, height, bits, colour type, packing, filter, interlace
MAX_UNPACKED_BYTES = 2**30

Mended = tuple[BinaryIO, str]
"""A file in memory that Pillow can read instead, and what is wrong with the one on the disk; "": nothing is."""


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each segment of a JPEG up to the end of the picture: the place of its marker, the marker, and its end."""
    place = len(JPEG) - 1
    while (found := MARKER.search(data, place)) is not None:
        place = found.end()
        if found[1][0] != END:
            place += int.from_bytes(data[found.end() : found.end() + 2], "big")
        yield found.start(), found[1][0], place
        if found[1][0] == END:
            return


def mended(file: BinaryIO) -> Mended | None:
    """The same picture in a form that Pillow can read; None for a file that cannot be repaired."""
    if file.seek(0, os.SEEK_END) > MAX_BYTES:
        return None
    file.seek(0)
    head = file.read(len(PNG))
    file.seek(0)
    if head.startswith(BIG):
        data = file.read()
        place = struct.pack(">I", len(data))
        return io.BytesIO(CLASSIC + place + data[8:] + classic_directory(file, len(data))), ""
    if head == PNG:
        return _mended_png(file.read())
    return _mended_jpeg(file.read()) if head.startswith(JPEG) else None


def bare_header(file: BinaryIO) -> BinaryIO | None:
    """The header of a file that Pillow refuses, without most pixels; None if the file cannot be repaired."""
    file.seek(0)
    if file.read(len(BIG)) == BIG:
        return io.BytesIO(CLASSIC + struct.pack(">I", 8) + classic_directory(file, 8))
    file.seek(0)
    head = file.read(JPEG_HEADER_BYTES)
    if head.startswith(JPEG):
        found = _mended_jpeg(head)
        return None if found is None else found[0]
    head = head[: len(PNG) + 8 + HEADER.size]
    is_png = head.startswith(PNG) and len(head) == len(PNG) + 8 + HEADER.size
    return io.BytesIO(PNG + _chunk(b"IHDR", head[-HEADER.size :]) + _chunk(b"IDAT", b"")) if is_png else None


def lost_rows(image: Image.Image) -> int:
    """How many rows are lost at the lower end of a repaired JPEG, once it is loaded."""
    rows = np.asarray(image).reshape(image.height, -1)[::-1]
    low, high = LOST
    known = (index for index, row in enumerate(rows) if row.min() < low or row.max() > high)
    return next(known, image.height)


def breaks_off(missing: int, rows: int) -> str:
    """One sentence for a person about a picture with this many of its rows missing."""
    return f"It breaks off: {missing} of {rows} rows are missing." if missing else "It breaks off before its end."


def _mended_jpeg(data: bytes) -> Mended | None:
    """A JPEG without the segments beside its picture; an end marker replaces what was cut off."""
    kept, pixels, is_whole = [JPEG[:2]], None, False
    for place, marker, end in segments(data):
        is_whole = marker == END
        if marker == SCAN and pixels is None:
            pixels = place
        elif pixels is None and marker not in BESIDE and (marker != ADOBE or end - place >= ADOBE_BYTES):
            kept.append(data[place:end])
        if end > len(data):
            data = data[:place]
    if pixels is None:
        return None
    return io.BytesIO(b"".join([*kept, data[pixels:], b"" if is_whole else bytes([0xFF, END])])), (
        "" if is_whole else breaks_off(0, 0)
    )


def _mended_png(data: bytes) -> Mended | None:
    """A PNG with nothing but its picture; a few missing rows are filled up."""
    chunks = [(kind, content) for kind, content in _chunks(data) if kind in SHOWN]
    header = next((content for kind, content in chunks if kind == b"IHDR"), b"")
    packed = b"".join(content for kind, content in chunks if kind == b"IDAT")
    if len(header) != HEADER.size or not packed:
        return None
    packed, damage = _filled_up(header, packed)
    before = itertools.takewhile(lambda chunk: chunk[0] != b"IDAT", chunks)
    whole = itertools.starmap(_chunk, [*before, (b"IDAT", packed), (b"IEND", b"")])
    return io.BytesIO(PNG + b"".join(whole)), damage


def _filled_up(header: bytes, packed: bytes) -> tuple[bytes, str]:
    """The packed pixels of a PNG, in which zeros replace a few missing rows, and one sentence about them."""
    width, height, bits, colour, _, _, interlace = HEADER.unpack(header)
    row_bytes = 1 + -(-width * bits * CHANNELS.get(colour, 1) // 8)
    whole_bytes = height * row_bytes
    if interlace or not 0 < whole_bytes <= MAX_UNPACKED_BYTES:
        return packed, ""
    inflating = zlib.decompressobj()
    try:
        rows = inflating.decompress(packed, whole_bytes)
    except zlib.error:
        return packed, ""
    missing = height - len(rows) // row_bytes
    if inflating.eof or missing > MOST_LOST * height:
        return packed, ""
    filled = rows[: (height - missing) * row_bytes].ljust(whole_bytes, b"\0")
    return zlib.compress(filled, 1), breaks_off(missing, height)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk of a PNG; the last one may be cut off."""
    place = len(PNG)
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 12 + length


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
