"""The place of the database: whether its files are still there, and how to write them again where they are not."""

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

from IA.protocol import pickle_file
from IA.protocol.files import SETTINGS

log = logging.getLogger(__name__)

PARTS = ("", "-wal", "-shm")  # The files of an open database have these endings.
Identity = tuple[int, int]


def identity(path: Path) -> Identity | None:
    """What tells a file or folder from another one of the same name; None: there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - three of them for each transaction: no more time than that
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Place:
    """The files of a database that is open, in a run directory that somebody may delete, move or replace."""

    def __init__(self, path: Path) -> None:
        """Take note of the directory.

        Args:
            path: the database.
        """
        self.path = path.resolve()  # SQLite keeps its log beside the file that a link leads to.
        self.run = self.path.parent
        self._parts = [Path(f"{self.path}{part}") for part in PARTS]
        self._files: list[Identity | None] = []
        self._folder, self._parent = identity(self.run), identity(self.run.parent)
        self._id = _run_id(self.run)

    @property
    def is_known(self) -> bool:
        """Whether any files have been noted."""
        return bool(self._files)

    def take_note(self) -> None:
        """Note the files of a connection that has just been opened.

        Raises:
            OSError: one of them is gone already.
        """
        self._files = [identity(part) for part in self._parts]
        if self._files[0] is None:
            raise OSError(f"{self.path} was deleted")

    def is_there(self) -> bool:
        """Whether the files are those that were noted; takes 5 microseconds."""
        return all(identity(part) == file for part, file in zip(self._parts, self._files, strict=True))

    def make(self, is_last_chance: bool = False) -> None:
        """Make the run directory again, which was deleted or moved away.

        It is made where the folder that held it is still the same one: where that is gone too, or the disk is not
        mounted, what is written there would not be found.

        Args:
            is_last_chance: make it wherever that can be.

        Raises:
            OSError: that cannot be, or another run lies there; its text is for a person.
        """
        now = identity(self.run)
        if now is None:
            if not is_last_chance and identity(self.run.parent) != self._parent:
                raise OSError(
                    f"the run directory {self.run} is gone, with the folder that held it; make it again, and all "
                    "answers are written there"
                )
            try:
                self.run.mkdir(parents=is_last_chance)
            except OSError as error:
                raise OSError(
                    f"the run directory {self.run} is gone, and cannot be made again: {error.strerror}"
                ) from None
        elif now != self._folder and (other := _run_id(self.run)) and other != self._id:
            raise OSError(f"another run lies in {self.run} now; move it away, and all answers are written there")
        self._folder = identity(self.run)

    def copy(self, connection: sqlite3.Connection) -> None:
        """Write all that a connection sees to the place, even if its own files are deleted; set other files aside.

        Raises:
            sqlite3.Error: it cannot be read.
            OSError: the disk is full or read-only.
        """
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            with contextlib.closing(sqlite3.connect(temporary)) as copied:
                connection.backup(copied)
                copied.execute("PRAGMA journal_mode = DELETE")
            _sync(temporary)
            self._set_aside()
            temporary.replace(self.path)
            _sync(self.run)
        finally:
            temporary.unlink(missing_ok=True)

    def _set_aside(self) -> None:
        """Keep a database that somebody has put there under another name, and delete a log that belongs to none."""
        aside = self.path.with_name(f"{self.path.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        parts = zip(PARTS, self._parts, self._files, strict=True)
        is_another = identity(self.path) not in {None, self._files[0]}
        for part, file, ours in parts:
            if is_another and identity(file) != ours:
                with contextlib.suppress(FileNotFoundError):
                    file.rename(f"{aside}{part}")
            elif part:
                file.unlink(missing_ok=True)
        if is_another:
            log.warning("the database that was put in the place of %s is kept as %s", self.path.name, aside.name)


def _run_id(run: Path) -> str | None:
    """Which run a directory holds; None where it holds none."""
    try:
        return pickle_file.read(run, SETTINGS).content.id
    except (OSError, ValueError):
        return None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
