"""Class folders: each image lies in the folder of its label; answers.csv has all answers, also the skipped ones."""

import re

from backend.exports.csv import csv_line
from backend.exports.fields import fields, values
from backend.exports.format import zip_of
from backend.exports.source import Source
from backend.exports.trees.crops import name_of
from backend.exports.trees.tree import MISSING, Tree
from backend.store.table import Answer
from IA.images.tiles import split
from IA.text.answer_words import USUAL, folded

TABLE = "answers.csv"
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # Windows reserves these names.
MOST_BYTES = 200  # A name may have so many bytes; file systems allow 255.
SKIPPED = "skipped"


class FolderTree(Tree):
    """`hat/a/1.jpg`, `no hat/2.jpg`; skipped images are included only if a person asks for them alone."""

    table = TABLE

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._names = folder_names(source.positive, source.negative)
        if source.label == "skipped":
            self._names["skipped"] = SKIPPED
        self.rows.write(csv_line(fields(source.is_rolled_up)))

    def place(self, answer: Answer) -> str | None:
        """The folder of its label, then the path relative to DATADIR."""
        name = self._names.get(answer.label)
        photo, tile = split(answer.path)
        return None if name is None else f"{name}/{photo if tile is None else name_of(photo, tile)}"

    def note(self, answer: Answer, place: str | None, is_there: bool) -> None:
        """Add a line to answers.csv, whether the image is there or not."""
        self.rows.write(csv_line(values(answer, self.source)))


def folder_names(positive: str, negative: str) -> dict[str, str]:
    """The folder of each label: names that every file system accepts, and that none of them confuses."""
    taken = {folded(TABLE), folded(MISSING), SKIPPED}
    names = {}
    for label, called in (("positive", positive), ("negative", negative)):
        name = _safe(called) or label
        if folded(name) in taken or USUAL.get(folded(name), label) != label:
            name = f"{name} ({label})"
        taken.add(folded(name))
        names[label] = name
    return names


def _safe(name: str) -> str:
    name = UNSAFE.sub("-", name).strip(" .")
    name = name.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"{name}-" if RESERVED.fullmatch(name) else name


FOLDERS = zip_of("folders", "Images, sorted", "a zip with a folder for {positive} and one for {negative}", FolderTree)
