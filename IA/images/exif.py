"""When and with which camera a photo was taken, by the first bytes of its file, without decoding it.

Exif 2.32 (CIPA DC-008) has two directories of twelve-byte entries in one block. JPEG, PNG, WebP and TIFF each have a
place of their own for the block. In HEIC and AVIF it lies behind tables, which Pillow follows.
"""

import contextlib
import os
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from IA.images.pictures import BAD_IMAGE, UnreadableError, opened_image
from IA.images.readers.signatures import is_boxed

FIRST_BYTES = 4096  # nearly every photo has its block within this many bytes
MOST_SEGMENTS = 64  # this many segments of a file are looked at
MOST_ENTRIES = 256  # this many entries of a directory are looked at
MOST_LETTERS = 80  # a name is cut off after this many letters
MAKE, MODEL, EXIF, TAKEN, OFFSET = 0x010F, 0x0110, 0x8769, 0x9003, 0x9011
WANTED = frozenset({MAKE, MODEL, EXIF, TAKEN, OFFSET})
LETTERS = (2, 129)  # the types of text: ASCII, and the UTF-8 of Exif 3
TIFF, PNG = (b"II*\0", b"MM\0*"), b"\x89PNG\r\n\x1a\n"
SEGMENT = struct.Struct(">BBH")
ORDERS = {order: tuple(struct.Struct(f"{order}{what}") for what in ("H", "HHI4s", "I")) for order in "<>"}
TIME = re.compile(r"(\d{4})[:/-](\d\d)[:/-](\d\d)[ T](\d\d):(\d\d):(\d\d)", re.ASCII)
ZONE = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d", re.ASCII)
UNSAID = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")


class Taken(NamedTuple):
    """What the camera recorded.

    Attributes:
        captured: the time as ISO 8601, with the offset from UTC if the camera recorded it; "": not known.
        camera: make and model; "": not known.
    """

    captured: str = ""
    camera: str = ""


NOTHING = Taken()


def taken(descriptor: int) -> Taken:
    """What an open file records; nothing if it is damaged or records none. Raises OSError if it cannot be read."""
    file = _File(descriptor)
    head = file.head
    try:
        if head.startswith(b"\xff\xd8"):
            return _first(file, _in_jpeg(file))
        if head.startswith(TIFF):
            return _block(file, 0)
        if head.startswith(PNG):
            return _first(file, _in_png(file))
        if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
            return _first(file, _in_webp(file))
        if is_boxed(head):
            return _boxed(descriptor)
    except (ValueError, struct.error, OverflowError):  # the file is cut off, or a place in it is wrong
        pass
    return NOTHING


@lru_cache(maxsize=256)
def camera_of(make: str, model: str) -> str:
    """Make and model in one text, without the make twice, since many models begin with it."""
    first = make.partition(" ")[0].casefold()
    without = model.casefold().removeprefix(first)
    begins_with_make = bool(first) and without != model.casefold() and not without[:1].isalnum()
    return model if begins_with_make else f"{make} {model}".strip()


class _Block:
    """Bytes in memory."""

    def __init__(self, head: bytes) -> None:
        self.head = head

    def at(self, place: int, size: int) -> bytes:
        """The `size` bytes from this place on; fewer at the end."""
        return self.head[place : place + size]


class _File(_Block):
    """A file; more than its first bytes is read only if it must be."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(os.pread(descriptor, FIRST_BYTES, 0))
        self._descriptor = descriptor

    def at(self, place: int, size: int) -> bytes:
        """See `_Block`."""
        end = place + size
        return self.head[place:end] if end <= len(self.head) else os.pread(self._descriptor, size, place)


# --- where the block is -----------------------------------------------------------------------------------------------


def _in_jpeg(file: _Block) -> Iterator[int]:
    place = 2
    for _ in range(MOST_SEGMENTS):
        mark, kind, size = SEGMENT.unpack(file.at(place, 4))
        if mark != 0xFF or kind == 0xDA:  # the pixels follow
            return
        if kind == 0xFF:  # padding
            place += 1
            continue
        if kind == 0xE1 and file.at(place + 4, 5) == b"Exif\0":
            yield place + 10
        place += 2 + size


def _in_png(file: _Block) -> Iterator[int]:
    place = len(PNG)
    for _ in range(MOST_SEGMENTS):
        size, name = struct.unpack(">I4s", file.at(place, 8))
        if name == b"eXIf":
            yield place + 8
        if name in (b"IDAT", b"IEND"):
            return
        place += 12 + size


def _in_webp(file: _Block) -> Iterator[int]:
    place = 12
    for _ in range(MOST_SEGMENTS):
        name, size = struct.unpack("<4sI", file.at(place, 8))
        if name == b"EXIF":
            yield place + 8 + (6 if file.at(place + 8, 5) == b"Exif\0" else 0)
        place += 8 + size + size % 2


def _boxed(descriptor: int) -> Taken:
    with (
        open(descriptor, "rb", closefd=False) as file,
        contextlib.suppress(UnreadableError, *BAD_IMAGE),
        opened_image(file) as image,
    ):
        return _block(_Block((image.info.get("exif") or b"").removeprefix(b"Exif\0\0")), 0)
    return NOTHING


# --- what is in the block ---------------------------------------------------------------------------------------------


def _first(file: _Block, places: Iterator[int]) -> Taken:
    for place in places:
        return _block(file, place)
    return NOTHING


def _block(file: _Block, base: int) -> Taken:
    """Read a block that begins at `base`; all places in it are counted from there."""
    begins = file.at(base, 8)
    if not begins.startswith(TIFF):
        return NOTHING
    directory = _Directory(file, base, "<" if begins.startswith(b"II") else ">")
    first = directory.read(begins[4:])
    camera = camera_of(directory.text(first.get(MAKE)), directory.text(first.get(MODEL)))
    if EXIF not in first:
        return Taken(camera=camera)
    try:
        more = directory.read(first[EXIF][2])
        return Taken(_moment(directory.text(more.get(TAKEN)), directory.text(more.get(OFFSET))), camera)
    except (ValueError, struct.error, OverflowError):
        return Taken(camera=camera)


Entry = tuple[int, int, bytes]
"""The type, the count, and four bytes that are the value or its place."""


class _Directory:
    """Reads the directories of a block that begins at a given place and has a given order of bytes."""

    def __init__(self, file: _Block, base: int, order: Literal["<", ">"]) -> None:
        self._file, self._base = file, base
        self._count, self._entry, self._place = ORDERS[order]

    def read(self, place: bytes) -> dict[int, Entry]:
        """The entries in `WANTED` of the directory at this place."""
        [start] = self._place.unpack(place)
        start += self._base
        [count] = self._count.unpack(self._file.at(start, 2))
        entries = self._file.at(start + 2, 12 * min(count, MOST_ENTRIES))
        return {
            tag: (kind, many, value)
            for tag, kind, many, value in self._entry.iter_unpack(entries[: len(entries) // 12 * 12])
            if tag in WANTED
        }

    def text(self, entry: Entry | None) -> str:
        """The text of an entry; "": there is none."""
        if entry is None or entry[0] not in LETTERS:
            return ""
        _, count, value = entry
        if count > len(value):
            [place] = self._place.unpack(value)
            value = self._file.at(self._base + place, min(count, 4 * MOST_LETTERS))
        return _legible(value[:count])


@lru_cache(maxsize=1024)
def _legible(data: bytes) -> str:
    data = data.partition(b"\0")[0]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return UNSAID.sub(" ", text).strip()[:MOST_LETTERS].strip()


def _moment(when: str, zone: str) -> str:
    found = TIME.match(when)
    if found is None:
        return ""
    try:
        text = datetime.fromisoformat("{}-{}-{}T{}:{}:{}".format(*found.groups())).isoformat()
    except ValueError:  # such as 0000:00:00 00:00:00 by a clock that nobody has set
        return ""
    return text + (zone if ZONE.fullmatch(zone) else "+00:00" if zone == "Z" else "")
