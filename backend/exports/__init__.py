"""The answers in other people's formats: one file a format, each a generator of lines."""

from collections.abc import Callable, Iterable, Iterator

from backend.answers import Answer
from backend.exports.csv import csv_lines
from backend.exports.jsonl import jsonl_lines

FORMATS: dict[str, tuple[str, Callable[[Iterable[Answer]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/x-ndjson", jsonl_lines),
}
"""Name of each format: its media type, and what turns answers into lines."""
