"""How a picture looks from far away, and whether two pictures are the same but for size, compression or brightness.

A look is the whole picture, upright, in 32 x 32 pixels. Two are alike when no patch of 3 x 3 of them differs by more
than `MOST` in any colour, once brightness and contrast are equal and a margin of 2 % may have been cut off: the patch
rather than the mean, for what tells two frames of a burst apart may be small, and be the very thing that is looked for.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
PATCH = 3
MOST = 8.0  # of 255: docs/concepts/near_duplicates.md has the figures behind it
HOPELESS = 45.0  # a difference that no cut margin explains
FLAT = 6.0  # standard deviation; a flatter picture shows nothing that could be compared
BRIGHTER = 1.12  # as much may one be, and as much its contrast stronger
STEPS = 3
MOST_MOVED = 1.5  # places of the look: 5 % of a side

Thumbnail = NDArray[np.uint8]
Floats = NDArray[np.float32]


def thumbnail_of(pixels: NDArray[np.uint8]) -> Thumbnail:
    """The look of a picture.

    Args:
        pixels: (H, W, 3).

    Returns:
        (3, 32, 32).
    """
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)  # each pixel counts
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def is_flat(look: Thumbnail) -> bool:
    """Whether it shows hardly anything: then only the very same file is alike."""
    return bool(look.astype(np.float32).std(axis=(1, 2)).max() < FLAT)


def difference(a: Thumbnail, b: Thumbnail) -> float:
    """The largest difference of any patch, 0 to 255; infinite where one is flat or much brighter."""
    if is_flat(a) or is_flat(b):
        return float("inf")
    means = float(a.mean()) + 1, float(b.mean()) + 1
    if max(means) > BRIGHTER * min(means) + 1:
        return float("inf")
    first, second = _patches(a), _patches(b)
    gain = float((first * second).sum()) / max(float((second * second).sum()), 1e-6)
    root = np.float32(min(max(gain, 1 / BRIGHTER), BRIGHTER) ** 0.5)
    first, second = first / root, second * root
    found = float(np.abs(first - second).max())
    if MOST < found < HOPELESS:
        found = min(found, _aligned(first, second), _aligned(second, first))  # either may have been cut
    return found


def are_near_duplicates(a: Thumbnail, b: Thumbnail) -> bool:
    """Whether two looks are those of near duplicates."""
    return difference(a, b) <= MOST


def _patches(look: Thumbnail) -> Floats:
    """Means of all patches, (3, 30, 30), about a mean of 0 in each colour."""
    sums = np.pad(look.astype(np.float32), ((0, 0), (1, 0), (1, 0))).cumsum(1).cumsum(2)  # (3, S + 1, S + 1)
    ends = sums[:, PATCH:, PATCH:] + sums[:, :-PATCH, :-PATCH] - sums[:, PATCH:, :-PATCH] - sums[:, :-PATCH, PATCH:]
    patches: Floats = ends / PATCH**2
    patches -= patches.mean(axis=(1, 2), keepdims=True)
    return patches


def _aligned(a: Floats, b: Floats) -> float:
    """The largest difference once b has been shifted and stretched a little, so that it fits a best.

    By Gauss-Newton steps on the squared differences (Lucas and Kanade 1981). What lies in the margin that the one has
    and the other has not is not compared.
    """
    side = a.shape[1]
    place = np.linspace(-1, 1, side, dtype=np.float32)
    move = np.zeros(4)  # shift and stretch down, then across, in places
    warped, seen = b, np.ones((side, side), np.bool_)
    for _ in range(STEPS):
        down, across = np.gradient(warped, axis=(1, 2))
        slopes = np.stack([down, down * place[:, None], across, across * place], axis=-1)[:, seen].reshape(-1, 4)
        step = np.linalg.solve(slopes.T @ slopes + np.eye(4), slopes.T @ (a - warped)[:, seen].ravel())
        move = np.clip(move + step, -MOST_MOVED, MOST_MOVED)
        (rows, rows_seen), (columns, columns_seen) = _window(side, *move[:2]), _window(side, *move[2:])
        warped, seen = (rows @ b @ columns.T).astype(np.float32), rows_seen[:, None] & columns_seen
    return float(np.abs(a - warped)[:, seen].max())


def _window(side: int, shift: float, stretch: float) -> tuple[Floats, NDArray[np.bool_]]:
    """A matrix that moves and stretches a row, and which places of the result lie in it."""
    at = np.arange(side) + shift + stretch * np.linspace(-1, 1, side)
    low = np.clip(np.floor(at).astype(int), 0, side - 2)
    share = np.clip(at - low, 0, 1)
    matrix = np.zeros((side, side), np.float32)
    matrix[np.arange(side), low] = 1 - share
    matrix[np.arange(side), low + 1] += share
    return matrix, (at >= -0.01) & (at <= side - 0.99)
