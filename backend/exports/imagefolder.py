"""Hugging Face imagefolder: the images, and a metadata.csv with the fields of each.

The images are numbered, a thousand in each folder, and metadata.csv has their original paths. The library takes some
folder names for splits: if images lie in folders `test` and `photos`, it silently loads only those in `test`.
"""

from pathlib import PurePosixPath

from backend.exports.csv import csv_line
from backend.exports.fields import fields, values
from backend.exports.format import zip_of
from backend.exports.source import Source
from backend.exports.trees.crops import SUFFIX
from backend.exports.trees.tree import Tree
from backend.store.table import Answer
from IA.images.tiles import split

PER_FOLDER = 1000


class ImageFolder(Tree):
    """`0017/0017345.jpg`; metadata.csv names only files that exist, because the library refuses others."""

    table = "metadata.csv"

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._count = 0
        self.rows.write(csv_line(("file_name", *fields(source.is_rolled_up))))

    def place(self, answer: Answer) -> str:
        """A path made of the image's number in this export."""
        number, self._count = self._count, self._count + 1
        photo, tile = split(answer.path)
        suffix = PurePosixPath(photo).suffix.lower() if tile is None else SUFFIX
        return f"{number // PER_FOLDER:04d}/{number:07d}{suffix}"

    def note(self, answer: Answer, place: str | None, is_there: bool) -> None:
        """Add a line to metadata.csv if the image is there."""
        if is_there:
            self.rows.write(csv_line((place, *values(answer, self.source))))


IMAGEFOLDER = zip_of(
    "imagefolder", "Hugging Face", "a zip of images and metadata.csv for the datasets library", ImageFolder
)
