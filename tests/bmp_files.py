"""BMP files byte by byte, with any masks."""

import struct

import numpy as np
from numpy.typing import NDArray

BITFIELDS, ALPHA_BITFIELDS = 3, 6


def bmp(
    values: NDArray[np.uint8],
    masks: tuple[int, ...],
    bits: int = 32,
    header: int = 124,
    compression: int = BITFIELDS,
    is_downwards: bool = False,
) -> bytes:
    """A BMP of pixels (H, W, 3 or 4), red first.

    Args:
        values: as many of them as there are masks count; of a mask of few bits the upper ones are kept.
        masks: of red, green, blue and perhaps alpha, in a pixel of so many bits.
        bits: 16, 24 or 32.
        header: its length: 40, 52, 56, 108 or 124.
        compression: as the header has it.
        is_downwards: the first row comes first.
    """
    height, width = values.shape[:2]
    pixels = np.zeros((height, width), np.uint32)
    for channel, mask in enumerate(masks):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            most = mask >> shift
            pixels |= (np.round(values[..., channel].astype(np.float64) * most / 255)).astype(np.uint32) << np.uint32(
                shift
            )
    rows = pixels.astype("<u4").view(np.uint8).reshape(height, width, 4)[..., : bits // 8].reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    data = (rows if is_downwards else rows[::-1]).tobytes()
    four = (*masks, 0)[:4]
    said = struct.pack(
        "<IiiHHIIiiII",
        header,
        width,
        -height if is_downwards else height,
        1,
        bits,
        compression,
        len(data),
        2835,
        2835,
        0,
        0,
    )
    said += struct.pack("<4I", *four)[: max(0, header - 40) if header > 40 else 4 * len(masks)]
    said = said.ljust(header, b"\0")
    if header >= 108:
        said = said[:56] + b"BGRs" + said[60:]
    return b"BM" + struct.pack("<IHHI", 14 + len(said) + len(data), 0, 0, 14 + len(said)) + said + data
