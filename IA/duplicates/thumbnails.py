"""Thumbnails, which tell whether two pictures are the same but for size, compression or brightness.

A thumbnail is the whole picture, upright, in 32 x 32 pixels. Two pictures are near duplicates when no patch of 3 x 3 of
those pixels differs by more than `MOST` in any colour, after brightness and contrast are made equal and a margin of 2 %
may have been cut off. The largest difference of a patch counts rather than the mean: what tells two frames of a burst
apart may be small, and may be the very thing that a person looks for.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32
PATCH = 3
MOST = 8.0  # The limit, of 255; docs/concepts/near_duplicates.md has the figures behind it.
HOPELESS = 45.0  # No cut margin explains a difference as large as this.
FLAT = 6.0  # A picture with a lower standard deviation shows nothing to compare.
BRIGHTER = 1.12  # One picture may be this much brighter, and its contrast this much stronger.
STEPS = 3
MOST_MOVED = 1.5  # Alignment moves a thumbnail by this many pixels at most, 5 % of a side.

Thumbnail = NDArray[np.uint8]
Floats = NDArray[np.float32]


def thumbnail_of(pixels: NDArray[np.uint8]) -> Thumbnail:
    """The thumbnail of a picture.

    Args:
        pixels: (H, W, 3).

    Returns:
        (3, 32, 32).
    """
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)  # each pixel counts
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def is_flat(thumbnail: Thumbnail) -> bool:
    """Whether a picture shows hardly anything: then only a copy of the very same file is a near duplicate."""
    return bool(thumbnail.astype(np.float32).std(axis=(1, 2)).max() < FLAT)


def difference(a: Thumbnail, b: Thumbnail) -> float:
    """The largest difference of any patch, 0 to 255; infinite if a picture is flat, or much brighter than the other."""
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
        found = min(found, _aligned(first, second), _aligned(second, first))  # either may have lost its margin
    return found


def are_near_duplicates(a: Thumbnail, b: Thumbnail) -> bool:
    """Whether two thumbnails are those of near duplicates."""
    return difference(a, b) <= MOST


def _patches(thumbnail: Thumbnail) -> Floats:
    """Means of all patches, (3, 30, 30), shifted to a mean of 0 in each colour."""
    sums = np.pad(thumbnail.astype(np.float32), ((0, 0), (1, 0), (1, 0))).cumsum(1).cumsum(2)  # (3, S + 1, S + 1)
    ends = sums[:, PATCH:, PATCH:] + sums[:, :-PATCH, :-PATCH] - sums[:, PATCH:, :-PATCH] - sums[:, :-PATCH, PATCH:]
    patches: Floats = ends / PATCH**2
    patches -= patches.mean(axis=(1, 2), keepdims=True)
    return patches


def _aligned(a: Floats, b: Floats) -> float:
    """The largest difference after b has been shifted and stretched a little to fit a.

    Gauss-Newton steps on the squared differences find the fit (Lucas and Kanade 1981). The margin that only one of the
    two has is not compared.
    """
    side = a.shape[1]
    place = np.linspace(-1, 1, side, dtype=np.float32)
    move = np.zeros(4)  # shift and stretch down, then across, in pixels
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
    """A matrix that moves and stretches a row, and which pixels of the result come from within the row."""
    at = np.arange(side) + shift + stretch * np.linspace(-1, 1, side)
    low = np.clip(np.floor(at).astype(int), 0, side - 2)
    share = np.clip(at - low, 0, 1)
    matrix = np.zeros((side, side), np.float32)
    matrix[np.arange(side), low] = 1 - share
    matrix[np.arange(side), low + 1] += share
    return matrix, (at >= -0.01) & (at <= side - 0.99)
