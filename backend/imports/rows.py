"""Reads tables of any program, with one image per row, as CSV, JSON lines or JSON, such as Label Studio's JSON_MIN."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.imports.format import JSON, Columns, ImportFormat
from backend.imports.labelled import Labelled
from backend.imports.records import labelled
from backend.imports.tables import csv_records, json_line_records


def _csv(path: Path, columns: Columns) -> Iterator[Labelled]:
    return labelled(csv_records(path), columns.path, columns.label)


def _json_lines(path: Path, columns: Columns) -> Iterator[Labelled]:
    return labelled(json_line_records(path), columns.path, columns.label)


def _are_rows(content: Any) -> bool:
    return isinstance(content, dict) or (
        isinstance(content, list) and all(isinstance(record, dict) for record in content)
    )


def _json(content: Any, columns: Columns) -> Iterator[Labelled]:
    """The labels in a list of rows, or in an object of labels by path."""
    if isinstance(content, dict):
        content = [{"path": image, "label": label} for image, label in content.items()]
    return labelled(content, columns.path, columns.label)


CSV = ImportFormat("CSV", (".csv", ".tsv"), _csv)
JSON_LINES = ImportFormat("JSON lines", (".jsonl", ".ndjson"), _json_lines)
JSON_ROWS = ImportFormat("rows with an image and a label", JSON, _json, fits=_are_rows)
