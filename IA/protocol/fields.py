"""The fields of a record, checked on their way into a file and out of it.

Arrays are little-endian bytes of a fixed type, read back as memoryviews ("f": float32, "i": int32, "b": int8) that
`numpy.asarray` takes without a copy.
"""

from typing import Any, Literal

import numpy as np

Array = Any
"""Anything with the buffer protocol when written; a one-dimensional memoryview when read."""

MOST = 2**53  # of a count or a generation


def array_bytes(buffer: Array, kind: str) -> bytes:
    """An array as it is written. Raises TypeError where it is of another kind."""
    view = memoryview(buffer)
    if view.format.lstrip("<") != kind:
        raise TypeError(f"an array of {view.format!r} where {kind!r} is due")
    return view.tobytes()


def array_view(data: object, kind: Literal["f", "i", "b"]) -> Array:
    """An array as it is read. Raises TypeError where it is not bytes, or too few or too many for whole values."""
    if not isinstance(data, bytes):
        raise TypeError("an array that is not bytes")
    return memoryview(data).cast(kind)


def typed(value: Any, *kinds: type) -> Any:
    """The value, if it is of one of these types, and no subclass. Raises TypeError."""
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} where {kinds[0].__name__} is due")
    return value


def count(value: Any) -> int:
    """The value, if it is a whole number from 0 up. Raises ValueError."""
    if type(value) is not int or not 0 <= value < MOST:
        raise ValueError("a count that is no number from 0 up")
    return value


def finite(array: Array) -> Array:
    """The array, if all its values are finite. Raises ValueError."""
    if not np.isfinite(np.asarray(array)).all():
        raise ValueError("a figure that is not finite")
    return array


def within(array: Array, most: float, unknown: bool = False, least: float = 0) -> Array:
    """The array, if all its values are from `least` to `most`; NaN, where `unknown` may be. Raises ValueError."""
    values = np.asarray(array)
    if not ((values >= least) & (values <= most) | (np.isnan(values) if unknown else False)).all():
        raise ValueError(f"a figure that is not from {least} to {most}")
    return array
