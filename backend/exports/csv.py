"""CSV: a header, then a line an answer; file names keep their bytes."""

import csv
import io
from collections.abc import Iterable, Iterator

from backend.answers import Answer
from backend.exports.fields import FIELDS, values


def csv_lines(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield the header and a line for each answer."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(FIELDS)
    yield _taken(line)
    for answer in answers:
        writer.writerow([str(value).lower() if isinstance(value, bool) else value for value in values(answer)])
        yield _taken(line)


def _taken(line: io.StringIO) -> bytes:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text.encode("utf-8", "surrogateescape")
