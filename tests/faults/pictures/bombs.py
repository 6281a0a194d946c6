"""Small files that want to be large: more memory, more time or more disk than a picture is worth."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image

HUGE_PX = 13_000
LARGEST_PX = 17_000  # 289 megapixels, just below the limit
SPARSE_BYTES = 10 * 2**30


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# --- PNG --------------------------------------------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(side_px: int, colour: int = 0, depth: int = 8, before: bytes = b"", rows: int | None = None) -> bytes:
    """A black PNG of this side, made without its pixels ever being in memory; `before` goes before the pixels."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    row = bytes(1 + side_px * channels * depth // 8)
    compressor = zlib.compressobj(9)
    data = b"".join(compressor.compress(row) for _ in range(side_px if rows is None else rows)) + compressor.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def inflating(size: int) -> bytes:
    """So many zeros, compressed."""
    compressor = zlib.compressobj(9)
    return b"".join(compressor.compress(bytes(2**20)) for _ in range(size // 2**20)) + compressor.flush()


# --- TIFF -------------------------------------------------------------------------------------------------------------

SHORT, LONG = 3, 4


def tiff(tags: dict[int, tuple[int, int, int]], behind: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory of {tag: (type, count, value or offset)}, and what lies behind it."""
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", following) + behind


def plain_tiff_tags(side_px: int, offset: int, length: int, compression: int = 8) -> dict[int, tuple[int, int, int]]:
    """A grey picture in one strip."""
    return {
        256: (LONG, 1, side_px),
        257: (LONG, 1, side_px),
        258: (SHORT, 1, 8),
        259: (SHORT, 1, compression),
        262: (SHORT, 1, 1),
        273: (LONG, 1, offset),
        277: (SHORT, 1, 1),
        278: (LONG, 1, side_px),
        279: (LONG, 1, length),
    }


def after(tags: dict[int, tuple[int, int, int]]) -> int:
    """Where the directory of a TIFF ends."""
    return 8 + 2 + 12 * len(tags) + 4


def claimed_strip() -> bytes:
    """A strip that claims 2 GB of a file of a kilobyte."""
    return tiff(plain_tiff_tags(LARGEST_PX, 200, 2**31 - 1), bytes(1024))


def huge_tile() -> bytes:
    """Ten pixels in a tile of 40,000 x 40,000, which inflates from two megabytes."""
    data = inflating(1600 * 2**20)
    tags = plain_tiff_tags(10, 0, 0)
    for strip in (273, 278, 279):
        del tags[strip]
    tags |= {322: (LONG, 1, 40_000), 323: (LONG, 1, 40_000), 324: (LONG, 1, 0), 325: (LONG, 1, len(data))}
    tags[324] = (LONG, 1, after(tags))
    return tiff(tags, data)


def many_directories(count: int) -> bytes:
    """One grey pixel, and then a chain of so many directories."""
    tags = plain_tiff_tags(1, 0, 1, compression=1)
    start = after(tags) + 1
    tags[273] = (LONG, 1, start - 1)
    chain = (struct.pack("<HHHIII", 1, 254, LONG, 1, 0, start + 18 * (number + 1)) for number in range(count))
    return tiff(tags, b"\x80" + b"".join(chain)[:-4] + bytes(4), start)


def overlapping_tags() -> bytes:
    """Thousands of tags that each claim the same megabyte."""
    tags = plain_tiff_tags(1, 8, 1, compression=1)
    tags |= {tag: (1, 2**20, 8) for tag in range(40_000, 45_000)}
    return tiff(tags, bytes(2**20))


# --- JPEG -------------------------------------------------------------------------------------------------------------


def resized_jpeg(data: bytes, width_px: int, height_px: int) -> bytes:
    """The same file with another size in its header."""
    place = next(place for mark in (b"\xff\xc0", b"\xff\xc2") if (place := data.find(mark)) > 0)
    return data[: place + 5] + struct.pack(">HH", height_px, width_px) + data[place + 9 :]


def many_scans(side_px: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = resized_jpeg(encoded(Image.new("L", (64, 64), 90), "JPEG", progressive=True), side_px, side_px)
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def with_segments(data: bytes, marker: int, contents: list[bytes]) -> bytes:
    """A JPEG with more segments at its beginning."""
    segments = (bytes([0xFF, marker]) + struct.pack(">H", 2 + len(content)) + content for content in contents)
    return data[:2] + b"".join(segments) + data[2:]


def overlapping_exif() -> bytes:
    """An EXIF block of many segments, in which thousands of tags claim the same megabyte."""
    block = overlapping_tags()
    parts = [b"Exif\0\0" + block[start : start + 65_000] for start in range(0, len(block), 65_000)]
    return with_segments(encoded(Image.new("RGB", (64, 64)), "JPEG"), 0xE1, parts)


def icc_jpeg() -> bytes:
    """A colour profile of 255 segments, each as long as can be."""
    parts = [b"ICC_PROFILE\0" + bytes([number, 255]) + bytes(65_000) for number in range(1, 256)]
    return with_segments(encoded(Image.new("RGB", (64, 64)), "JPEG"), 0xE2, parts)


# --- others -----------------------------------------------------------------------------------------------------------


def many_frames(count: int) -> bytes:
    """A GIF that shows one pixel so many times."""
    data = encoded(Image.new("P", (1, 1)), "GIF")
    start = data.rfind(b"\x2c")
    return data[:start] + data[start:-1] * count + data[-1:]


def large_gif() -> bytes:
    """A GIF of 17,000 x 17,000 pixels, of which none is there."""
    data = bytearray(encoded(Image.new("P", (16, 16)), "GIF"))
    start = data.rfind(b"\x2c")
    data[6:10] = data[start + 5 : start + 9] = struct.pack("<HH", LARGEST_PX, LARGEST_PX)
    return bytes(data)


def run_length_bmp(side_px: int) -> bytes:
    """A BMP that is all run lengths of one colour."""
    runs = (bytes([255, 1]) * (side_px // 255) + bytes([side_px % 255, 1, 0, 0])) * side_px + bytes([0, 1])
    head = struct.pack("<IiiHHIIiiII", 40, side_px, side_px, 1, 8, 1, len(runs), 0, 0, 256, 0)
    offset = 14 + len(head) + 1024
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + head + bytes(1024) + runs


def large_webp(side_px: int = 16_383) -> bytes:
    """The largest WebP there is, of one colour."""
    return encoded(Image.new("RGB", (side_px, side_px)), "WEBP", lossless=True, quality=0, method=0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "grey-13000.png": lambda: png(HUGE_PX),
    "colour-17000.png": lambda: png(LARGEST_PX, colour=2),
    "transparent-17000.png": lambda: png(LARGEST_PX, colour=6),
    "sixteen-17000.png": lambda: png(LARGEST_PX, depth=16),
    "one-bit-13000.png": lambda: png(HUGE_PX, depth=1),
    "claims-60000.png": lambda: png(60_000, rows=1),
    "profile.png": lambda: png(8, before=chunk(b"iCCP", b"x\0\0" + inflating(2**27))),
    "text.png": lambda: png(8, before=chunk(b"zTXt", b"x\0\0" + inflating(2**27))),
    "texts.png": lambda: png(8, before=chunk(b"zTXt", b"x\0\0" + inflating(2**19)) * 1000),
    "chunks.png": lambda: png(8, before=chunk(b"tEXt", b"x\0y") * 1_000_000),
    "strip.tif": claimed_strip,
    "tile.tif": huge_tile,
    "directories.tif": lambda: many_directories(1_000_000),
    "tags.tif": overlapping_tags,
    "header-65500.jpg": lambda: resized_jpeg(encoded(Image.new("RGB", (64, 64)), "JPEG"), 65_500, 65_500),
    "header-17000.jpg": lambda: resized_jpeg(encoded(Image.new("RGB", (64, 64)), "JPEG"), LARGEST_PX, LARGEST_PX),
    "scans-65500.jpg": lambda: many_scans(65_500, 1000),
    "scans-17000.jpg": lambda: many_scans(LARGEST_PX, 10_000),
    "scans-7000.jpg": lambda: many_scans(7000, 48),
    "scans-500.jpg": lambda: many_scans(500, 100_000),
    "exif.jpg": overlapping_exif,
    "profile.jpg": icc_jpeg,
    "frames.gif": lambda: many_frames(100_000),
    "large.gif": large_gif,
    "runs.bmp": lambda: run_length_bmp(LARGEST_PX),
    "large.webp": large_webp,
}

SPARSE: dict[str, Callable[[], bytes]] = {
    "hole.jpg": lambda: encoded(Image.new("RGB", (64, 64)), "JPEG"),
    "hole-behind-a-header.jpg": lambda: encoded(Image.new("RGB", (640, 640)), "JPEG")[:700],
    "hole.png": lambda: png(8)[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt",
    "hole.webp": lambda: b"RIFF" + struct.pack("<I", 2**32 - 10) + b"WEBPVP8 ",
    "hole.bmp": lambda: encoded(Image.new("RGB", (64, 64)), "BMP"),
    "nothing-but-a-hole.tif": lambda: b"",
}


def lay(folder: Path) -> list[str]:
    """Write all of them; those with a hole say that they are 10 GB, and take a few kilobytes. Their names."""
    for name, make in BOMBS.items():
        (folder / name).write_bytes(make())
    for name, make in SPARSE.items():
        (folder / name).write_bytes(make())
        os.truncate(folder / name, SPARSE_BYTES)
    return [*BOMBS, *SPARSE]
