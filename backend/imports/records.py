"""Tables: CSV, JSON lines and JSON lists (Label Studio's JSON_MIN, too), with an image and its class in each row."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.imports.labelled import Labelled
from IA.tiles import TILE

PATHS = (
    *("path", "image", "file_name", "filename", "file", "image_path", "filepath", "image_id", "img", "name", "url"),
    "source_image",
)
LABELS = ("label", "class", "choice", "category", "answer", "target", "labels", "tag", "annotation", "y")
MOST_MS = 2**53
LINE_BYTES = 2**20


def csv_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a CSV file, or of one with tabs or semicolons; names of images keep their bytes.

    Raises:
        ValueError: it is no such file.
    """
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        head = file.readline(LINE_BYTES)
        file.seek(0)
        delimiter = max(",;\t", key=head.count)
        try:
            yield from csv.DictReader(file, delimiter=delimiter)
        except csv.Error as error:
            raise ValueError(f"{path} is no good CSV ({error})") from None


def json_line_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The objects in a file of JSON lines.

    Raises:
        ValueError: a line is none.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):
                    raise ValueError(f"line {number} of {path} is no JSON") from None
                if not isinstance(record, dict):
                    raise ValueError(f"line {number} of {path} is no object")
                yield record


def labelled(
    records: Iterable[Mapping[str, Any]], path_column: str | None = None, label_column: str | None = None
) -> Iterator[Labelled]:
    """What the rows say.

    Args:
        records: by the name of the column.
        path_column: which names the image; None: one of `PATHS`.
        label_column: which names the class; None: one of `LABELS`.

    Raises:
        ValueError: there is no such column.
    """
    for record in records:
        path_column = path_column or _column(record, PATHS, "images", "--path-column")
        label_column = label_column or _column(record, LABELS, "labels", "--label-column")
        address = record.get(path_column)
        if not isinstance(address, str) or not address.strip():
            raise ValueError(f"a row has no image in column {path_column!r}")
        yield with_circumstances(address, tuple(said(record.get(label_column))), record)


def with_circumstances(path: str, words: tuple[str, ...], record: Mapping[str, Any]) -> Labelled:
    """What is said of an image, with all else that a record tells of it."""
    milliseconds = _number(record.get("shown_ms"))
    if milliseconds is None and (seconds := _number(record.get("lead_time"))) is not None:
        milliseconds = 1000 * seconds
    return Labelled(
        path=path,
        said=words,
        source=_text(record.get("source")),
        annotator=_text(record.get("annotator")),
        time=moment(record.get("time") or record.get("updated_at") or record.get("created_at")),
        shown_ms=_whole(milliseconds),
        probability=_share(_number(record.get("probability"))),
        checkpoint=_whole(_number(record.get("checkpoint"))),
        tile=tile_of(record),
    )


def tile_of(record: Mapping[str, Any]) -> str:
    """Which tile of a photo a record is about, as our own exports say it beside the path; "": none."""
    text = record.get("tile")
    return text if isinstance(text, str) and TILE.fullmatch(text) else ""


def said(value: Any) -> Iterator[str]:
    """The words in a cell: one, a list of them, or what Label Studio makes of several choices."""
    if isinstance(value, bool):
        yield str(value).lower()
    elif isinstance(value, str | int | float):
        if str(value).strip():
            yield str(value)
    elif isinstance(value, list):
        for each in value:
            yield from said(each)
    elif isinstance(value, dict):
        yield from said(value.get("choices"))


def moment(value: Any) -> float | None:
    """Seconds since 1970 of a time as ISO 8601, UTC where it does not say."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None or when.year < 1971:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _column(record: Mapping[str, Any], names: tuple[str, ...], what: str, option: str) -> str:
    known = {str(name).strip().casefold(): name for name in record}
    for name in names:
        if name in known:
            return known[name]
    there = ", ".join(map(str, record))[:200]
    raise ValueError(f"no column names the {what} (there are {there}); say which with {option}")


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
