"""CSV: a header, then one line per answer; file names keep their bytes."""

import csv
import io
from collections.abc import Iterable, Iterator

from backend.exports.fields import fields, values
from backend.exports.format import ExportFormat
from backend.exports.source import Source
from IA.text.cells import harmless


def csv_lines(source: Source) -> Iterator[bytes]:
    """Yield the header and a line for each answer."""
    yield csv_line(fields(source.is_rolled_up))
    for answer in source.answers:
        yield csv_line(values(answer, source))


def csv_line(cells: Iterable[str | float | bool | None]) -> bytes:
    """One line; booleans are written as in JSON, and no spreadsheet runs a text as a formula."""
    line = io.StringIO()
    csv.writer(line).writerow(map(_cell, cells))
    return line.getvalue().encode("utf-8", "surrogateescape")


def _cell(value: str | float | bool | None) -> str | float | None:
    if isinstance(value, str):
        return harmless(value)
    return str(value).lower() if isinstance(value, bool) else value


CSV = ExportFormat(
    name="csv",
    title="CSV",
    use="a table for a spreadsheet: every answer with its time and probability",
    media_type="text/csv; charset=utf-8",
    ending="annotations.csv",
    lines=csv_lines,
)
