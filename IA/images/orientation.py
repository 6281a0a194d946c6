"""Which way up a picture is: by EXIF, or where that is silent by XMP, which browsers do not mind."""

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
SIDEWAYS = range(5, 9)  # of them those that make the width a height
MAX_EXIF_BYTES = 2**20
MAX_CHUNKS = 100_000  # of a PNG; its pictures have a few thousand
IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')  # as Pillow finds it
XMP = b"XML:com.adobe.xmp"
RAW_PROFILE = b"Raw profile type exif"  # as ImageMagick has EXIF in PNG
BAD_EXIF = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)


def orientation(image: Image.Image, file: BinaryIO) -> int:
    """1 to 8, as EXIF counts; 1, upright, where nothing is said, or nothing that can be read.

    Args:
        image: opened, loaded or not; a TIFF that is loaded was turned by that.
        file: what it was opened from; where it stands stays the same.
    """
    try:
        exif, xmp = _said(image, file)
        said = _of_exif(image, exif)
        return _of_xmp(xmp) if said is None else said
    except BAD_EXIF:
        return 1


def is_turned_by_browsers(image: Image.Image, file: BinaryIO) -> bool:
    """Whether a browser that minds EXIF, and nothing else, turns a picture just so."""
    try:
        said = _of_exif(image, _said(image, file)[0])
    except BAD_EXIF:
        said = None
    return (said or 1) == orientation(image, file)


def upright_size(image: Image.Image, file: BinaryIO) -> tuple[int, int]:
    """Width and height of a picture that is not loaded yet, as a person will see it."""
    is_told = isinstance(image, TiffImageFile) and ORIENTATION in image.tag_v2  # of these Pillow tells the upright size
    turned = not is_told and orientation(image, file) in SIDEWAYS
    return (image.height, image.width) if turned else image.size


def _said(image: Image.Image, file: BinaryIO) -> tuple[bytes, bytes]:
    """The blocks of EXIF and XMP; empty where there is none."""
    if image.format == "PNG":  # Pillow would decode the whole picture to look behind it
        place = file.tell()
        try:
            return _said_in_png(file)
        finally:
            file.seek(place)
    return image.info.get("exif") or b"", image.info.get("xmp") or b""


def _of_exif(image: Image.Image, block: bytes) -> int | None:
    if isinstance(image, TiffImageFile):
        said = image.tag_v2.get(ORIENTATION)
        return None if said is None else int(said)
    if not block or len(block) > MAX_EXIF_BYTES:
        return None
    exif = Image.Exif()
    exif.load(block)
    return int(exif[ORIENTATION]) if ORIENTATION in exif else None


def _of_xmp(block: bytes) -> int:
    found = IN_XMP.search(block)
    return 1 if found is None else int(found[1])


def _said_in_png(file: BinaryIO) -> tuple[bytes, bytes]:
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
    """Kind and content of the chunks in which something may be said, wherever they stand."""
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
    """The text of an iTXt chunk: behind its keyword stand whether it is compressed, how, a language and its keyword."""
    is_packed, text = content[len(XMP) + 1 : len(XMP) + 2], content[len(XMP) + 3 :]
    text = text.split(b"\0", 2)[2]
    return _inflated(text) if is_packed == b"\1" else text


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, MAX_EXIF_BYTES)
