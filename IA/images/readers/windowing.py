"""From deep grey to 8 bit: the raw values of a microscope or a CT would otherwise look all black or all white."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW_PERCENT = (0.5, 99.5)
WINDOW_PIXELS = 1_000_000  # this many pixels are enough to estimate the percentiles
FLAT = 128  # a picture in which all values are equal becomes this grey
Values = NDArray[Any]
Window = tuple[float, float]


def windowed(values: Values, window: Window | None = None, is_inverted: bool = False) -> NDArray[np.uint8]:
    """Grey of 8 bit, linear from black to white between two values; always the same for the same file.

    Args:
        values: (H, W) or (H, W, C), of any number type; NaN counts as the lower value.
        window: the two values; None: the percentiles of the picture, see `window_of`.
        is_inverted: whether larger values are darker.
    """
    low, high = window_of(values) if window is None else window
    grey = np.full(values.shape, FLAT, np.uint8)
    if high <= low:
        return grey
    kind = np.float32 if values.dtype.itemsize < 4 else np.float64
    scale = kind(255.0 / (high - low))
    rows = max(1, WINDOW_PIXELS // max(1, math.prod(values.shape[1:])))
    for top in range(0, len(values), rows):  # in parts, since 100 megapixels as float would take a gigabyte
        part = np.nan_to_num(values[top : top + rows].astype(kind), nan=low, posinf=high, neginf=low)
        bright = (np.clip(part, low, high) - kind(low)) * scale
        grey[top : top + rows] = (255 - bright if is_inverted else bright) + kind(0.5)
    return grey


def window_of(values: Values, without: float | None = None) -> Window:
    """The 0.5 and the 99.5 percentile of the finite values; the extremes if both percentiles are the same value.

    Args:
        values: of any shape. Among more than a million values, a million evenly spread ones are looked at.
        without: a value that means there was no measurement.
    """
    every = max(1, values.size // WINDOW_PIXELS)
    while math.gcd(every, values.shape[-1]) > 1:  # otherwise all sampled values would lie in a few columns
        every += 1
    sample = _measured(values.ravel()[::every].astype(np.float64), without)
    low, high = np.percentile(sample, WINDOW_PERCENT) if len(sample) else (0.0, 0.0)
    if high > low:
        return float(low), float(high)
    measured = _measured(values.ravel(), without)  # a few bright spots on black are too few for a percentile
    return (float(measured.min()), float(measured.max())) if len(measured) else (0.0, 0.0)


def _measured(values: Values, without: float | None) -> Values:
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    return values if without is None else values[values != without]
