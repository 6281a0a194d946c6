"""The answers in other people's formats: one file a format, each a generator of bytes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from backend.exports.coco import coco_lines
from backend.exports.csv import csv_lines
from backend.exports.folders import FolderTree
from backend.exports.imagefolder import ImageFolder
from backend.exports.jsonl import jsonl_lines
from backend.exports.label_studio import label_studio_lines
from backend.exports.source import Source
from backend.exports.tree import Tree

PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        media_type: of the file.
        ending: of its name, behind the name of the run.
        lines: makes it, in pieces of any size.
    """

    media_type: str
    ending: str
    lines: Callable[[Source], Iterator[bytes]]


TREES: dict[str, Callable[[Source], Tree]] = {"folders": FolderTree, "imagefolder": ImageFolder}
"""Of the formats that hold the images what lays them out, as a zip or as files."""

FORMATS: dict[str, ExportFormat] = {
    "csv": ExportFormat("text/csv; charset=utf-8", "annotations.csv", csv_lines),
    "jsonl": ExportFormat("application/x-ndjson", "annotations.jsonl", jsonl_lines),
    "label-studio": ExportFormat("application/json", "label-studio.json", label_studio_lines),
    "coco": ExportFormat("application/json", "coco.json", coco_lines),
    "imagefolder": ExportFormat("application/zip", "imagefolder.zip", lambda source: ImageFolder(source).zipped()),
    "folders": ExportFormat("application/zip", "folders.zip", lambda source: FolderTree(source).zipped()),
}
"""Each format by its name."""


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about the same size: neither a line nor a photo at a time."""
    held = bytearray()
    for line in lines:
        held += line
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)
