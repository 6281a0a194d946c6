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
        values: the pixels; one channel per mask is used, and a mask of few bits keeps the upper bits of its channel.
        masks: the masks of red, green, blue and perhaps alpha, in a pixel of `bits` bits.
        bits: 16, 24 or 32.
        header: length of the header: 40, 52, 56, 108 or 124 bytes.
        compression: the number in the header.
        is_downwards: the first row comes first in the file.
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
    head = struct.pack(
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
    head += struct.pack("<4I", *four)[: max(0, header - 40) if header > 40 else 4 * len(masks)]
    head = head.ljust(header, b"\0")
    if header >= 108:
        head = head[:56] + b"BGRs" + head[60:]
    return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(data), 0, 0, 14 + len(head)) + head + data
