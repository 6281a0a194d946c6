"""Writes images in folders, with a table of their answers, as the stream of a zip or as files."""

import contextlib
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, get_args

from backend.exports.pictures import MissingError, changed_s, chunks, state
from backend.exports.source import Source
from backend.exports.spool import Spool
from backend.exports.trees.crops import CHANGED, Crop, cropped
from backend.exports.trees.zipped import Entry, zipped
from backend.store.table import Answer

Link = Literal["copy", "hard", "symbolic"]
LINKS: tuple[Link, ...] = get_args(Link)
MISSING = "MISSING.txt"
AT_ONCE_BYTES = 8 * 2**20  # A smaller file is read at once; nearly every photo is.


class Tree(ABC):
    """Lays out the images of an export, and writes its table.

    Attributes:
        table: name of the table.
        rows: the lines of the table so far.
        missing: the images that could not be read, one line each.
        placed: how many images are in the export.
        left_out: how many images have no place in the export.
    """

    table = ""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows = Spool()
        self.missing = Spool()
        self.placed = self.left_out = 0

    @abstractmethod
    def place(self, answer: Answer) -> str | None:
        """The path of the image in the export; None: the image is left out."""

    @abstractmethod
    def note(self, answer: Answer, place: str | None, is_there: bool) -> None:
        """Add an answer to the table."""

    # --- as a zip -----------------------------------------------------------------------------------------------------

    def zipped(self) -> Iterator[bytes]:
        """The whole export as a zip."""
        return zipped(self._entries())

    def _entries(self) -> Iterator[Entry]:
        for answer, place, crop in self._placed():
            is_there = False
            self.left_out += place is None
            if place is not None and crop is not None:
                if is_there := self._is_had(answer.path, crop):
                    yield Entry(place, crop.content, crop.changed_ns / 1e9)
            elif place is not None:
                with self._noting(answer.path), self.source.pictures.open(answer.path) as file:
                    yield from self._entry(answer.path, place, file)
                    is_there = True
            self.placed += is_there
            self.note(answer, place, is_there)
        for name, content in self._tables():
            yield Entry(name, content.read(), time.time())

    def _entry(self, path: str, place: str, file: BinaryIO) -> Iterator[Entry]:
        before = state(file)
        size = before[0]
        if size <= AT_ONCE_BYTES:
            yield Entry(place, file.read(size), changed_s(file))
        else:
            yield Entry(place, self._readable(path, chunks(file, size)), changed_s(file))
        if state(file) != before:
            self._lacks(path, CHANGED)

    def _readable(self, path: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of a file until it becomes unreadable; the export keeps these, as they are sent already."""
        try:
            yield from pieces
        except OSError as error:
            self._lacks(path, f"it is cut off: {error.strerror}")

    # --- as files -----------------------------------------------------------------------------------------------------

    def write(self, folder: Path, link: Link) -> None:
        """Write the whole export into a folder that exists and is empty.

        Raises:
            WriteError: the folder cannot be written, or cannot hold such links.
        """
        for answer, place, crop in self._placed():
            is_there = False
            self.left_out += place is None
            if place is not None and crop is not None:
                if is_there := self._is_had(answer.path, crop):
                    _write_crop(crop, folder / place)
            elif place is not None:
                with self._noting(answer.path), self.source.pictures.open(answer.path) as file:
                    self._put(answer.path, file, folder / place, link)
                    is_there = True
            self.placed += is_there
            self.note(answer, place, is_there)
        for name, content in self._tables():
            with _writing(folder / name), (folder / name).open("xb") as table:
                table.writelines(content.read())

    def _put(self, path: str, file: BinaryIO, target: Path, link: Link) -> None:
        origin = self.source.pictures.place(path)
        with _writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if link == "symbolic":
                target.symlink_to(origin.absolute())
            elif link == "hard":
                os.link(origin.resolve(), target)
        if link == "copy":
            self._copy(path, file, target)

    def _copy(self, path: str, file: BinaryIO, target: Path) -> None:
        before = state(file)
        with contextlib.ExitStack() as stack:
            with _writing(target):
                copy = stack.enter_context(target.open("xb"))
            for piece in self._readable(path, chunks(file, before[0])):
                with _writing(target):
                    copy.write(piece)
        with _writing(target):
            os.utime(target, ns=(before[1], before[1]))
        if state(file) != before:
            self._lacks(path, CHANGED)

    # --- both ---------------------------------------------------------------------------------------------------------

    def _placed(self) -> Iterator[tuple[Answer, str | None, Crop | None]]:
        return cropped(((answer, self.place(answer)) for answer in self.source.answers), self.source.pictures)

    def _is_had(self, path: str, crop: Crop) -> bool:
        """Note what is wrong with a tile, and return whether it has a picture nevertheless."""
        if crop.lacks:
            self._lacks(path, crop.lacks)
        return bool(crop.content)

    def _tables(self) -> Iterator[tuple[str, Spool]]:
        yield self.table, self.rows
        if self.missing.count:
            yield MISSING, self.missing

    @contextlib.contextmanager
    def _noting(self, path: str) -> Iterator[None]:
        """Note a file that cannot be read in the block, and continue."""
        try:
            yield
        except MissingError as error:
            self._lacks(path, str(error))

    def _lacks(self, path: str, reason: str) -> None:
        self.missing.write(f"{path}: {reason}\n".encode("utf-8", "surrogateescape"))


def _write_crop(crop: Crop, target: Path) -> None:
    with _writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(crop.content)
        os.utime(target, ns=(crop.changed_ns, crop.changed_ns))


class WriteError(Exception):
    """A file could not be written; this ends an export, whereas an unreadable image does not."""


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WriteError(f"{target} cannot be written: {(error.strerror or str(error)).lower()}") from None
