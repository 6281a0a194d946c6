"""Writes a ZIP as a stream: entries are stored uncompressed, with ZIP64, and the directory takes little memory.

The project has its own code, because `zipfile` and similar libraries keep an object for each entry until the end: 372
bytes per image, and the directory of a million images in one piece. Format: PKWARE, APPNOTE.TXT 6.3.10.
"""

import struct
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.exports.spool import Spool

LOCAL = struct.Struct("<4s5H3L2H")
LOCAL_64 = struct.Struct("<HHQQ")  # uncompressed, compressed
BEHIND = struct.Struct("<4sLQQ")  # CRC, compressed, uncompressed
CENTRAL = struct.Struct("<4s6H3L5H2L")
CENTRAL_64 = struct.Struct("<HHQQQ")  # uncompressed, compressed, offset
END_64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_64 = struct.Struct("<4sLQL")
END = struct.Struct("<4s4H2LH")
VERSION = 45  # the first with ZIP64
UNIX = 3 << 8
FILE_MODE = 0o100644 << 16
UTF_8, SIZES_BEHIND = 1 << 11, 1 << 3
EXTRA_64 = 1
MOST_16, MOST_32 = 0xFFFF, 0xFFFFFFFF
EARLIEST, LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)


@dataclass(frozen=True)
class Entry:
    """One file of the archive.

    Attributes:
        name: its POSIX path in the archive.
        content: its bytes. The size of a single piece stands before it, which streaming unpackers need; the size of
            several pieces follows them.
        time: when it was last changed, seconds since 1970.
    """

    name: str
    content: bytes | Iterable[bytes]
    time: float


def zipped(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the archive of these entries as they come."""
    directory, place = Spool(), 0
    for entry in entries:
        began = place
        described = _Described(entry)
        if isinstance(entry.content, bytes):
            described.add(entry.content)
            yield described.local()
            yield entry.content
        else:
            yield described.local()
            for piece in entry.content:
                described.add(piece)
                yield piece
            yield described.behind()
        place += described.length
        directory.write(described.central(began))
    began, count = place, directory.count
    for piece in directory.read():
        place += len(piece)
        yield piece
    yield _end(count, began, place - began)


class _Described:
    """One entry of the archive, with its three records."""

    def __init__(self, entry: Entry) -> None:
        self._is_streamed = not isinstance(entry.content, bytes)
        try:
            self._name, utf_8 = entry.name.encode(), UTF_8
        except UnicodeEncodeError:  # The name keeps the bytes that the file system has.
            self._name, utf_8 = entry.name.encode("utf-8", "surrogateescape"), 0
        self._flags = utf_8 | (SIZES_BEHIND if self._is_streamed else 0)
        self._when = _dos_time(entry.time)
        self._crc = 0
        self._size = 0
        extra = LOCAL_64.size if self._is_streamed else 0
        self._around = LOCAL.size + len(self._name) + extra + (BEHIND.size if self._is_streamed else 0)

    @property
    def length(self) -> int:
        """How many bytes the entry takes, with the content added so far."""
        return self._around + self._size

    def add(self, piece: bytes) -> None:
        """Count the next bytes of the content."""
        self._crc = zlib.crc32(piece, self._crc)
        self._size += len(piece)

    def local(self) -> bytes:
        """The header before the content."""
        extra = LOCAL_64.pack(EXTRA_64, LOCAL_64.size - 4, 0, 0) if self._is_streamed else b""
        size = MOST_32 if self._is_streamed else self._size
        header = LOCAL.pack(
            b"PK\3\4", VERSION, self._flags, 0, *self._when, self._crc, size, size, len(self._name), len(extra)
        )
        return header + self._name + extra

    def behind(self) -> bytes:
        """The record after content that came in several pieces."""
        return BEHIND.pack(b"PK\7\10", self._crc, self._size, self._size)

    def central(self, place: int) -> bytes:
        """The entry of the directory."""
        is_large = max(self._size, place) >= MOST_32
        extra = CENTRAL_64.pack(EXTRA_64, CENTRAL_64.size - 4, self._size, self._size, place) if is_large else b""
        size, place = (MOST_32, MOST_32) if is_large else (self._size, place)
        header = CENTRAL.pack(
            b"PK\1\2", UNIX | VERSION, VERSION, self._flags, 0, *self._when, self._crc, size, size, len(self._name),
            len(extra), 0, 0, 0, FILE_MODE, place,
        )  # fmt: skip
        return header + self._name + extra


def _end(count: int, place: int, length: int) -> bytes:
    """The records that close a directory of `count` entries, which began at `place`."""
    long = END_64.pack(b"PK\6\6", END_64.size - 12, UNIX | VERSION, VERSION, 0, 0, count, count, length, place)
    long += LOCATOR_64.pack(b"PK\6\7", 0, place + length, 1)
    is_large = count >= MOST_16 or max(place, length) >= MOST_32
    short = min(count, MOST_16)
    end = END.pack(b"PK\5\6", 0, 0, short, short, min(length, MOST_32), min(place, MOST_32), 0)
    return long + end if is_large else end


def _dos_time(seconds: float) -> tuple[int, int]:
    """Time and date in the format's form: local time, to two seconds."""
    try:
        when = time.localtime(seconds)[:6]
    except (OverflowError, ValueError, OSError):
        when = EARLIEST
    year, month, day, hour, minute, second = min(max(when, EARLIEST), LATEST)
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
