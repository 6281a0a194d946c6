"""Reads labels that other programs have written: one file per format, each a reader; to add a format, list it here."""

from pathlib import Path

from backend.imports.coco import COCO
from backend.imports.format import Columns, ImportFormat
from backend.imports.label_studio import LABEL_STUDIO
from backend.imports.labelled import Labelled
from backend.imports.pickled import PICKLE
from backend.imports.rows import CSV, JSON_LINES, JSON_ROWS
from backend.imports.tables import json_content

MOST_BYTES = 2**30

FORMATS: tuple[ImportFormat, ...] = (PICKLE, CSV, JSON_LINES, LABEL_STUDIO, COCO, JSON_ROWS)
"""All formats; of those with the same suffix the first that fits is taken."""

SUFFIXES: tuple[str, ...] = tuple(dict.fromkeys(suffix for format in FORMATS for suffix in format.suffixes))
"""What a file of labels can end in."""


def read_labelled(path: Path, path_column: str | None = None, label_column: str | None = None) -> list[Labelled]:
    """The labels in a file; its ending and, for JSON, its content decide the format.

    Args:
        path: a file that ends in one of `SUFFIXES`.
        path_column: the column of a table that names the image; None: a column with a usual name.
        label_column: the column of a table that names the class; None: a column with a usual name.

    Raises:
        OSError: the file cannot be read.
        ColumnError: it is a table, and none of its columns has a usual name.
        ValueError: it is damaged, or in none of the formats.
    """
    known = [suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() in SUFFIXES]
    if not known:
        raise ValueError(f"{path} ends in none of {', '.join(SUFFIXES)}")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} is larger than {MOST_BYTES >> 30} GiB")
    formats = [format for format in FORMATS if known[0] in format.suffixes]
    content = path if formats[0].fits is None else json_content(path)
    for format in formats:
        if format.fits is None or format.fits(content):
            return list(format.read(content, Columns(path_column, label_column)))
    *others, last = (format.title for format in formats)
    raise ValueError(f"{path} is no JSON of {', '.join(others)}, or {last}")
