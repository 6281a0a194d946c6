"""Opens tables: CSV as spreadsheets write it, in any of their encodings and separators, and JSON as text."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from backend.exports.fields import FURTHER
from IA.text.cells import plain

HEAD_BYTES = 4096
LINE_CHARACTERS = 2**20
MARKS = {  # The longest marks come first, because UTF-32 begins like UTF-16.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8-sig",
}
SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?[,;\t]*[\r\n]*', re.IGNORECASE)  # Excel reads the separator from it.
SEPARATORS = ",;\t"
QUOTED = re.compile(r'"[^"]*"')


def opened(path: Path) -> IO[str]:
    """Open a file as text, in the encoding that it seems to have; bytes that are not UTF-8 are kept."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(HEAD_BYTES))
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return path.open(newline="", encoding=encoding, errors=errors)


def encoding_of(head: bytes) -> str:
    """The encoding of a file by its first bytes: by its mark or, for UTF-16 without a mark, by the places of zeros."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    even, odd = head[::2].count(0), head[1::2].count(0)
    if 4 * odd > len(head) and not even:
        return "utf-16-le"
    return "utf-16-be" if 4 * even > len(head) and not odd else "utf-8"


def csv_records(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a file with commas, tabs or semicolons, by the names in its first row.

    Raises:
        ValueError: the file is no such table.
    """
    rows = csv_rows(path)
    columns = next(rows, [])
    for row in rows:
        yield dict(zip(columns, row, strict=False))


def csv_rows(path: Path, separators: str = SEPARATORS) -> Iterator[Sequence[str]]:
    """The rows of a file with commas, tabs or semicolons, the first one included; names of images keep their bytes.

    Our own exports put a prefix before cells that a spreadsheet would run; this removes it.

    Args:
        path: the file.
        separators: what may separate cells; of those that the first row has equally often, the first one does.

    Raises:
        ValueError: the file is no such table.
    """
    with opened(path) as file:
        head = file.readline(LINE_CHARACTERS)
        declared = SEPARATOR.fullmatch(head)
        if declared is None:
            file.seek(0)
        delimiter = declared[1] if declared else max(separators, key=QUOTED.sub("", head).count)
        try:
            rows = (row for row in csv.reader(file, delimiter=delimiter) if any(map(str.strip, row)))
            columns = next(rows, [])
            if columns:
                yield columns
            is_ours = set(FURTHER) <= set(columns)
            for row in rows:
                yield list(map(plain, row)) if is_ours else row
        except (csv.Error, TypeError, ValueError) as error:
            raise ValueError(f"{path} is no good CSV ({error})") from None


def json_line_records(path: Path, on_bad: Callable[[str], None] | None = None) -> Iterator[Mapping[str, Any]]:
    """The objects in a file of JSON lines.

    Args:
        path: the file.
        on_bad: is called for a line that is no JSON object, with what is wrong; None: such a line ends the reading.

    Raises:
        ValueError: a line is no JSON object, and there is no `on_bad`.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record, wrong = json.loads(line), "object"
            except (ValueError, RecursionError):
                record, wrong = None, "JSON"
            if isinstance(record, dict):
                yield record
            elif on_bad is None:
                raise ValueError(f"line {number} of {path} is no {wrong}")
            else:
                on_bad(f"line {number} is no {wrong}")


def json_content(path: Path) -> Any:
    """The content of a JSON file. Raises ValueError if the file is not JSON."""
    try:
        with opened(path) as file:
            return json.load(file)
    except (ValueError, RecursionError):
        raise ValueError(f"{path} is no JSON") from None


def are_filled(values: Iterable[Any]) -> bool:
    """Whether any cell of a row has a value."""
    return any(value.strip() if isinstance(value, str) else value is not None for value in values)
