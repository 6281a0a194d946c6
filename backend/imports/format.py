"""What a format of labels says of itself: each has one, in its own file, and `backend.imports.FORMATS` lists them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.imports.labelled import Labelled

JSON = (".json",)


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what; None: the one that has a usual name.

    Attributes:
        path: names the image.
        label: names the class.
    """

    path: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class ImportFormat:
    """One format.

    Attributes:
        title: what it is called in a sentence.
        suffixes: what the names of its files end in.
        read: what the file at a path says or, of a format with `fits`, what the content of a JSON file says.
        fits: tells by the content of a JSON file whether it is of this format.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Any, Columns], Iterator[Labelled]]
    fits: Callable[[Any], bool] | None = None
