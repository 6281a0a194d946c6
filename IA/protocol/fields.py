"""How the fields of a record stand in a file, and what is refused when they are read.

Arrays are little-endian bytes of a fixed type in the file. They are read back as memoryviews, which `numpy.asarray`
takes without a copy.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer  # collections.abc has it from Python 3.12 on

    Floats: TypeAlias = NDArray[np.float32] | memoryview[Any]  # numpy types the memoryview of any array as one of int
    Ints: TypeAlias = NDArray[np.int32] | memoryview[int]
    Bytes: TypeAlias = NDArray[np.int8] | memoryview[int]
else:  # at run time a memoryview takes no parameter
    Floats, Ints, Bytes = (NDArray[kind] | memoryview for kind in (np.float32, np.int32, np.int8))

Code = Literal["f", "i", "b"]
"""The type of an array's values: float32, int32 or int8."""

MOST = 2**53  # no count, generation or number of an image is larger
FINITE = float(np.finfo(np.float32).max)
ALWAYS = object()  # in place of what a file without the field means: no file is without it
NO_FLOATS: Floats = memoryview(b"").cast("f")
NO_INTS: Ints = memoryview(b"").cast("i")


@dataclass(frozen=True)
class FieldKind:
    """One kind of field.

    Attributes:
        unpack: makes the value of what is in the file. Raises ValueError or TypeError where that is not of this kind.
        pack: makes built-in types of the value.
        before: what a file of an earlier version means that lacks the field; `ALWAYS`: every version has it.
    """

    unpack: Callable[[Any], Any]
    pack: Callable[[Any], object] = lambda value: value
    before: object = ALWAYS


@dataclass(frozen=True)
class Record:
    """What one of the files holds: a dataclass whose fields carry their kind as metadata (`stored`, `array`)."""

    def pack(self) -> dict[str, object]:
        """The record in built-in types, as it is written."""
        return {field.name: field.metadata["kind"].pack(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def unpack(cls, data: Any) -> Self:
        """The record that was written like this.

        Raises:
            KeyError, TypeError, ValueError: the fields are not of their kinds, or do not fit each other.
        """
        values = {}
        for field in fields(cls):
            kind: FieldKind = field.metadata["kind"]
            is_missing = kind.before is not ALWAYS and field.name not in data
            values[field.name] = kind.unpack(kind.before if is_missing else data[field.name])
        record = cls(**values)
        record.check()
        return record

    def check(self) -> None:
        """See that the fields fit each other. Raises ValueError where they do not."""


def stored(unpack: Callable[[Any], Any], before: object = ALWAYS) -> Mapping[str, FieldKind]:
    """Metadata of a field that stands in the file as it is."""
    return {"kind": FieldKind(unpack, before=before)}


def array(
    code: Code, least: float, most: float, *, unknown: bool = False, before: object = ALWAYS
) -> Mapping[str, FieldKind]:
    """Metadata of a one-dimensional array.

    Args:
        code: type of its values.
        least: no value may be smaller.
        most: no value may be larger.
        unknown: whether NaN may stand for a value.
        before: see `FieldKind`.
    """

    def unpack(data: object) -> Any:
        values = array_view(data, code)
        within(np.asarray(values), least, most, unknown)
        return values

    return {"kind": FieldKind(unpack, lambda values: array_bytes(values, code), before)}


def array_bytes(values: "Buffer", code: Code) -> bytes:
    """An array as it is written. Raises TypeError where its values are of another type."""
    view = memoryview(values)
    if view.format.lstrip("<") != code:
        raise TypeError(f"an array of {view.format!r} where {code!r} is due")
    return view.tobytes()


def array_view(data: object, code: Code) -> Any:
    """An array as it is read. Raises TypeError where it is not bytes, or too few or too many for whole values."""
    if not isinstance(data, bytes):
        raise TypeError("an array that is not bytes")
    return memoryview(data).cast(code)


def within(values: NDArray[Any], least: float, most: float, unknown: bool = False) -> None:
    """See that all values are from `least` to `most`, or NaN where that is allowed. Raises ValueError."""
    if not ((values >= least) & (values <= most) | (np.isnan(values) if unknown else False)).all():
        raise ValueError(f"a figure that is not from {least} to {most}")


def typed(value: Any, *kinds: type) -> Any:
    """The value, if it is of one of these types, and no subclass. Raises TypeError."""
    if type(value) not in kinds:
        raise TypeError(f"{type(value).__name__} where {kinds[0].__name__} is due")
    return value


def text(value: Any) -> str:
    """The value, if it is text. Raises TypeError."""
    return str(typed(value, str))


def flag(value: Any) -> bool:
    """The value, if it is True or False. Raises TypeError."""
    return bool(typed(value, bool))


def real(value: Any) -> float:
    """The value, if it is a float. Raises TypeError."""
    return float(typed(value, float))


def share(value: Any) -> float:
    """The value, if it is a float from 0 to 1. Raises TypeError or ValueError."""
    if not 0 <= real(value) <= 1:
        raise ValueError("a share that is not from 0 to 1")
    return float(value)


def optional(unpack: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function that lets None through and leaves every other value to `unpack`."""
    return lambda value: None if value is None else unpack(value)


def count(value: Any) -> int:
    """The value, if it is a whole number from 0 up. Raises ValueError."""
    if type(value) is not int or not 0 <= value < MOST:
        raise ValueError("a count that is no number from 0 up")
    return value
