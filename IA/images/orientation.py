"""Which way up a picture is: by EXIF, or without EXIF by XMP, which browsers ignore."""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

ORIENTATION = 0x0112  # the EXIF tag
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = range(5, 9)  # the orientations that swap width and height
MAX_EXIF_BYTES = 2**20
MAX_CHUNKS = 100_000  # this many chunks of a PNG are looked at; large pictures have a few thousand
IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')  # Pillow looks for the same
XMP = b"XML:com.adobe.xmp"
RAW_PROFILE = b"Raw profile type exif"  # ImageMagick writes EXIF into a PNG under this keyword
BAD_EXIF = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)


def orientation(image: Image.Image, file: BinaryIO) -> int:
    """The orientation of a picture, 1 to 8 as in EXIF; 1, upright, if the file has none that can be read.

    Args:
        image: the opened picture, loaded or not. Pillow turns a TIFF when it loads it.
        file: the file that the picture was opened from; its position stays the same.
    """
    try:
        exif, xmp = _blocks(image, file)
        by_exif = _of_exif(image, exif)
        return _of_xmp(xmp) if by_exif is None else by_exif
    except BAD_EXIF:
        return 1


def is_turned_by_browsers(image: Image.Image, file: BinaryIO) -> bool:
    """Whether a browser, which follows EXIF and nothing else, turns a picture the same way."""
    try:
        by_exif = _of_exif(image, _blocks(image, file)[0])
    except BAD_EXIF:
        by_exif = None
    return (by_exif or 1) == orientation(image, file)


def upright_size(image: Image.Image, file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture that is not loaded yet, as a person will see it."""
    is_upright = isinstance(image, TiffImageFile) and ORIENTATION in image.tag_v2  # Pillow gives their upright size
    turned = not is_upright and orientation(image, file) in SIDEWAYS
    return (image.height, image.width) if turned else image.size


def _blocks(image: Image.Image, file: BinaryIO) -> tuple[bytes, bytes]:
    """The blocks of EXIF and XMP; each is empty if there is none."""
    if image.format == "PNG":  # Pillow would decode the whole picture to find blocks that follow it
        place = file.tell()
        try:
            return _blocks_in_png(file)
        finally:
            file.seek(place)
    return image.info.get("exif") or b"", image.info.get("xmp") or b""


def _of_exif(image: Image.Image, block: bytes) -> int | None:
    if isinstance(image, TiffImageFile):
        tag = image.tag_v2.get(ORIENTATION)
        return None if tag is None else int(tag)
    if not block or len(block) > MAX_EXIF_BYTES:
        return None
    exif = Image.Exif()
    exif.load(block)
    return int(exif[ORIENTATION]) if ORIENTATION in exif else None


def _of_xmp(block: bytes) -> int:
    found = IN_XMP.search(block)
    return 1 if found is None else int(found[1])


def _blocks_in_png(file: BinaryIO) -> tuple[bytes, bytes]:
    exif = raw = xmp = b""
    for kind, content in _text_of_png(file):
        if kind == b"eXIf":
            exif = content
        elif content.startswith(XMP + b"\0"):
            xmp = _international(content)
        elif content.startswith(RAW_PROFILE + b"\0"):
            text = content[len(RAW_PROFILE) + 1 :]
            lines = (_inflated(text[1:]) if kind == b"zTXt" else text).split(b"\n")
            raw = bytes.fromhex(b"".join(lines[3:]).decode("ascii"))
    return exif or raw, xmp


def _text_of_png(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of the chunks that may hold EXIF or XMP, wherever they stand."""
    end = file.seek(0, os.SEEK_END)
    place = 8
    for _ in range(MAX_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        if kind in {b"eXIf", b"iTXt", b"zTXt", b"tEXt"} and length <= MAX_EXIF_BYTES:
            yield kind, file.read(length)
        place += 12 + length
        if kind == b"IEND" or place > end:
            return


def _international(content: bytes) -> bytes:
    """The text of an iTXt chunk. It follows the keyword, a flag and a method of compression, and two translations."""
    is_packed, text = content[len(XMP) + 1 : len(XMP) + 2], content[len(XMP) + 3 :]
    text = text.split(b"\0", 2)[2]
    return _inflated(text) if is_packed == b"\1" else text


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, MAX_EXIF_BYTES)
