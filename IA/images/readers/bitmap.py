"""BMP whose masks cut up each pixel in any order and width, as a format of Pillow, which knows only a few masks.

Pictures look as in browsers: alpha counts if the header has a mask for it, unless it is 0 everywhere.
"""

import struct
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile

FORMAT = "BMP"
FILE_HEADER_BYTES = 14
HEADER = struct.Struct("<IiiHHI")  # length of the header, width, height, planes, bits of a pixel, compression
SHORTEST, WITH_ALPHA = 40, 56  # the least bytes of a header that may have masks, and of one with a mask of alpha
WITH_COLOUR_SPACE = 108  # the least bytes of a header whose mask of alpha counts without other masks
MASKS_AT = 40  # the masks begin here in the header, or right behind the shortest header
PLAIN, BITFIELDS, ALPHA_BITFIELDS = 0, 3, 6
PLAIN_MASKS = (0xFF0000, 0xFF00, 0xFF)
WORDS = {16: "<u2", 32: "<u4"}
ROWS_PIXELS = 2**22  # this many pixels are decoded at a time

Masks = tuple[int, ...]


class BmpFile(BmpImageFile):
    """A BMP that Pillow reads, or that has any masks."""

    _masks: Masks = ()

    def _bitmap(self, header: int = 0, offset: int = 0) -> None:
        file = cast(BinaryIO, self.fp)
        began = file.tell()
        data = file.read(HEADER.size)
        if len(data) == HEADER.size:
            length, width, height, _, bits, compression = HEADER.unpack(data)
            if length >= SHORTEST and bits in WORDS and compression in {BITFIELDS, ALPHA_BITFIELDS}:
                has_alpha = length >= WITH_ALPHA or compression == ALPHA_BITFIELDS
                file.seek(began + MASKS_AT)
                masks = struct.unpack("<3I", file.read(12)) + struct.unpack(
                    "<I", file.read(4) if has_alpha else bytes(4)
                )
                self._describe(width, height, bits, masks, offset)
                return
            if length >= WITH_COLOUR_SPACE and bits == 32 and compression == PLAIN:
                file.seek(began + MASKS_AT + 12)
                self._describe(width, height, bits, (*PLAIN_MASKS, *struct.unpack("<I", file.read(4))), offset)
                return
        file.seek(began)
        super()._bitmap(header, offset)

    def _describe(self, width: int, height: int, bits: int, masks: Masks, offset: int) -> None:
        if not any(masks[:3]):
            raise ValueError("its masks are empty")
        self._size = width, abs(height)
        self._is_downwards, self._bits, self._place, self._masks = height < 0, bits, offset, masks
        self._mode = "RGBA" if masks[3] else "RGB"
        self.tile = []

    def load(self) -> Any:
        """Decode the pixels, once."""
        if self._masks and self._im is None:
            self.im = Image.fromarray(self._pixels(cast(BinaryIO, self.fp))).im
        return super().load()

    def _pixels(self, file: BinaryIO) -> NDArray[np.uint8]:
        """(H, W, 3 or 4)."""
        width, height = self.size
        word = np.dtype(WORDS[self._bits])
        row_bytes = -(-width * self._bits // 32) * 4
        channels = len(self.mode)
        pixels = np.empty((height, width, channels), np.uint8)
        step = max(1, ROWS_PIXELS // width)
        file.seek(self._place)
        for top in range(0, height, step):
            rows = pixels[top : top + step]
            data = file.read(len(rows) * row_bytes)
            if len(data) < len(rows) * row_bytes:
                raise ValueError("it is cut off")
            values = np.frombuffer(data, np.uint8).reshape(len(rows), row_bytes)[:, : width * word.itemsize].copy()
            for channel in range(channels):
                rows[..., channel] = _channel(values.view(word), self._masks[channel])
        if channels == 4 and not pixels[..., 3].any():
            pixels[..., 3] = 255
        return pixels if self._is_downwards else pixels[::-1]


def register() -> None:
    """Make Pillow open every BMP by this class."""
    Image.register_open(FORMAT, BmpFile, lambda head: head.startswith(b"BM"))


def _channel(values: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    """The bits of each value under a mask, scaled to 0 to 255."""
    if not mask:
        return np.zeros(values.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    part = (values.astype(np.uint64) & np.uint64(mask)) >> np.uint64(shift)
    return ((part * np.uint64(255) + np.uint64(most // 2)) // np.uint64(most)).astype(np.uint8)
