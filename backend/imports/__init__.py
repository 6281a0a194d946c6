"""Labels that other programs have written: one file a format, each a function from content to what it says."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from backend.imports.coco import images, is_coco
from backend.imports.label_studio import is_tasks, tasks
from backend.imports.labelled import Labelled
from backend.imports.pickled import pickled
from backend.imports.records import labelled
from backend.imports.tables import csv_records, json_content, json_line_records

MOST_BYTES = 2**30


def read_labelled(path: Path, path_column: str | None = None, label_column: str | None = None) -> list[Labelled]:
    """What a file of labels says, by its name and, for JSON, by what is in it.

    Args:
        path: a .pickle, .csv, .tsv, .jsonl or .json file.
        path_column: of a table, names the image; None: found by its name.
        label_column: of a table, names the class; None: found by its name.

    Raises:
        OSError: it cannot be read.
        ColumnError: it is a table, and none of its columns is called as usual.
        ValueError: it is damaged, or none of these.
    """
    table = partial(labelled, path_column=path_column, label_column=label_column)
    readers: dict[str, Callable[[Path], Iterator[Labelled]]] = {
        ".pickle": pickled,
        ".pkl": pickled,
        ".csv": lambda file: table(csv_records(file)),
        ".tsv": lambda file: table(csv_records(file)),
        ".jsonl": lambda file: table(json_line_records(file)),
        ".ndjson": lambda file: table(json_line_records(file)),
        ".json": lambda file: _json(file, table),
    }
    known = [suffix for suffix in reversed(path.suffixes) if suffix.lower() in readers]
    if not known:
        raise ValueError(f"{path} ends in none of {', '.join(readers)}")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} is larger than {MOST_BYTES >> 30} GiB")
    return list(readers[known[0].lower()](path))


def _json(path: Path, table: Callable[..., Iterator[Labelled]]) -> Iterator[Labelled]:
    content = json_content(path)
    if is_tasks(content):
        return tasks(content)
    if is_coco(content):
        return images(content)
    if isinstance(content, list) and all(isinstance(record, dict) for record in content):
        return table(content)
    if isinstance(content, dict):
        return table([{"path": image, "label": label} for image, label in content.items()])
    raise ValueError(f"{path} is no JSON of Label Studio, COCO, or rows with an image and a label")
