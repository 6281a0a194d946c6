"""CSV: a header, then a line an answer; file names keep their bytes."""

import csv
import io
from collections.abc import Iterable, Iterator

from backend.answers import Answer
from backend.exports.fields import FIELDS, values


def csv_lines(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield the header and a line for each answer."""
    yield csv_line(FIELDS)
    for answer in answers:
        yield csv_line(values(answer))


def csv_line(cells: Iterable[str | float | bool | None]) -> bytes:
    """One line; true and false are written as in JSON."""
    line = io.StringIO()
    csv.writer(line).writerow([str(cell).lower() if isinstance(cell, bool) else cell for cell in cells])
    return line.getvalue().encode("utf-8", "surrogateescape")
