"""Reads the rows of any table, such as Label Studio's JSON_MIN, each with an image and its class."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from backend.imports.addresses import in_cp1252
from backend.imports.labelled import Labelled
from backend.imports.tables import are_filled
from IA.images.tiles import TILE
from IA.text.answer_words import folded

PATHS = (
    *("path", "image", "file_name", "filename", "file", "image_path", "filepath", "image_id", "img", "name", "url"),
    "source_image",
)
LABELS = ("label", "class", "choice", "category", "answer", "target", "labels", "tag", "annotation", "y")
MOST_MS = 2**53


class ColumnError(ValueError):
    """No column of a table has a usual name for images, or for classes.

    Attributes:
        what: what is missing: images or labels.
        columns: the names of the table's columns.
    """

    def __init__(self, what: str, columns: Iterable[str]) -> None:
        self.what, self.columns = what, list(columns)
        there = ", ".join(self.columns)[:200]
        super().__init__(f"no column names the {what} (there are {there})")


def labelled(
    records: Iterable[Mapping[str, Any]], path_column: str | None = None, label_column: str | None = None
) -> Iterator[Labelled]:
    """The images and labels in the rows.

    Args:
        records: the rows, each by the names of the columns.
        path_column: the column that names the image; None: one of `PATHS`.
        label_column: the column that names the class; None: one of `LABELS`.

    Raises:
        ColumnError: there is no such column.
        ValueError: a row names no image.
    """
    columns: tuple[str, str] | None = None
    for record in records:
        if not are_filled(record.values()):
            continue
        columns = columns or (
            _column(record, PATHS, path_column, "images"),
            _column(record, LABELS, label_column, "labels"),
        )
        address = record.get(columns[0])
        if not isinstance(address, str) or not address.strip():
            raise ValueError(f"a row has no image in column {in_cp1252(columns[0])!r}")
        yield with_circumstances(address, tuple(label_words(record.get(columns[1]))), record)


def with_circumstances(path: str, words: tuple[str, ...], record: Mapping[str, Any]) -> Labelled:
    """The label of an image, with source, annotator, time and prediction if the record has them."""
    milliseconds = _number(record.get("shown_ms"))
    if milliseconds is None and (seconds := _number(record.get("lead_time"))) is not None:
        milliseconds = 1000 * seconds
    return Labelled(
        path=path,
        words=words,
        source=_text(record.get("source")),
        annotator=_text(record.get("annotator")),
        time=moment(record.get("time") or record.get("updated_at") or record.get("created_at")),
        shown_ms=_whole(milliseconds),
        probability=_share(_number(record.get("probability"))),
        checkpoint=_whole(_number(record.get("checkpoint"))),
        tile=tile_of(record),
    )


def tile_of(record: Mapping[str, Any]) -> str:
    """The tile of a photo that a record is about, if one of our own exports names it beside the path; "": none."""
    text = record.get("tile")
    return text if isinstance(text, str) and TILE.fullmatch(text) else ""


def label_words(value: Any) -> Iterator[str]:
    """The words in a cell: one word, a list, or Label Studio's form of several choices."""
    if isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, str | int | float):
        if str(value).strip():
            yield in_cp1252(str(value))
    elif isinstance(value, list):
        for each in value:
            yield from label_words(each)
    elif isinstance(value, dict):
        yield from label_words(value.get("choices"))


def moment(value: Any) -> float | None:
    """Seconds since 1970 of a time in ISO 8601; a time without a zone is UTC."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None or when.year < 1971:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _column(record: Mapping[str, Any], usual: tuple[str, ...], asked: str | None, what: str) -> str:
    """The column that was asked for, as the table spells it, else the first usual name among the columns."""
    known = {folded(in_cp1252(str(name))): name for name in record}
    if asked is not None:
        return asked if asked in record else known.get(folded(asked), asked)
    for name in usual:
        if name in known:
            return known[name]
    raise ColumnError(what, [in_cp1252(str(name)) for name in record])


def _number(value: Any) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(number: float | None) -> int | None:
    return round(number) if number is not None and 0 <= number < MOST_MS else None


def _share(number: float | None) -> float | None:
    return number if number is not None and 0 <= number <= 1 else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and str(value) else None
