"""Big-endian BigTIFF, which Pillow does not know, as a classic TIFF with the same pixels (AWare Systems 2004)."""

import os
import struct
from typing import BinaryIO

BIG = b"MM\0\x2b"  # what a big-endian BigTIFF begins with
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SHORTER = {16: (4, "I"), 17: (9, "i"), 18: (13, "I")}  # types of 64 bit, and the types of 32 bit that replace them
ELSEWHERE = frozenset({330, 34665, 34853})  # tags that lead to further directories
MOST_TAGS = 4096
MOST_VALUE_BYTES = 2**26


def classic_directory(file: BinaryIO, place: int) -> bytes:
    """The first directory of a big-endian BigTIFF, rewritten for this place of a classic TIFF with the same pixels.

    Raises:
        ValueError, struct.error: the file is damaged or has more than 4 GiB.
    """
    (offset,) = struct.unpack(">Q", _at(file, 8, 8))
    (count,) = struct.unpack(">Q", _at(file, offset, 8))
    if count > MOST_TAGS:
        raise ValueError("its directory is damaged")
    found = struct.iter_unpack(">HHQ8s", _at(file, offset + 8, 20 * count))
    entries = [_shorter(file, *entry) for entry in found if entry[0] not in ELSEWHERE]
    behind, near, far = place + 2 + 12 * len(entries) + 4, b"", b""
    for tag, kind, number, value in entries:
        if len(value) > 4:
            far, value = far + value, struct.pack(">I", behind + len(far))
        near += struct.pack(">HHI4s", tag, kind, number, value)
    return struct.pack(">H", len(entries)) + near + bytes(4) + far


def _shorter(file: BinaryIO, tag: int, kind: int, number: int, value: bytes) -> tuple[int, int, int, bytes]:
    """An entry with its values, in which numbers of 32 bit replace those of 64 bit."""
    length = SIZES.get(kind, 1) * number
    if length > MOST_VALUE_BYTES:
        raise ValueError("its directory is damaged")
    content = value[:length] if length <= 8 else _at(file, struct.unpack(">Q", value)[0], length)
    if kind not in SHORTER:
        return tag, kind, number, content
    wide = struct.unpack(f">{number}{'q' if kind == 17 else 'Q'}", content)
    kind, code = SHORTER[kind]
    return tag, kind, number, struct.pack(f">{number}{code}", *wide)


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    if place + length > file.seek(0, os.SEEK_END):
        raise ValueError("it is cut off")
    file.seek(place)
    return file.read(length)
