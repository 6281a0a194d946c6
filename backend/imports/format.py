"""The description of a format of labels: each has one in its own file, and `backend.imports.FORMATS` lists them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.imports.labelled import Labelled

JSON = (".json",)


@dataclass(frozen=True)
class Columns:
    """The columns of a table to read; None: the column that has a usual name.

    Attributes:
        path: the column that names the image.
        label: the column that names the class.
    """

    path: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class ImportFormat:
    """One format.

    Attributes:
        title: its name in a sentence.
        suffixes: the endings of its files.
        read: reads the file at a path or, for a format with `fits`, the content of a JSON file.
        fits: decides by the content of a JSON file whether it has this format.
    """

    title: str
    suffixes: tuple[str, ...]
    read: Callable[[Any, Columns], Iterator[Labelled]]
    fits: Callable[[Any], bool] | None = None
