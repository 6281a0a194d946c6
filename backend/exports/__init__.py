"""Writes the answers in other programs' formats: one file per format, each a generator of bytes, listed here."""

from collections.abc import Iterable, Iterator

from backend.exports.coco import COCO
from backend.exports.csv import CSV
from backend.exports.folders import FOLDERS
from backend.exports.format import ExportFormat
from backend.exports.imagefolder import IMAGEFOLDER
from backend.exports.jsonl import JSON_LINES
from backend.exports.label_studio import LABEL_STUDIO

PIECE_BYTES = 1 << 16

FORMATS: dict[str, ExportFormat] = {
    format.name: format for format in (FOLDERS, CSV, JSON_LINES, IMAGEFOLDER, COCO, LABEL_STUDIO)
}
"""Each format by its name, in the order of the page's menu."""


def pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about equal size, however long the lines or photos are."""
    held = bytearray()
    for line in lines:
        held += line
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)
