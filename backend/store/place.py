"""The place of the database: checks whether its files are still there, and writes them again if they are not."""

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
    """A value that differs between files or folders of the same name; None: there is no such file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - each transaction calls it three times, so it must be fast
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Place:
    """The files of a database that is open, in a run directory that somebody may delete, move or replace."""

    def __init__(self, path: Path) -> None:
        """Note the directory.

        Args:
            path: the file of the database.
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
            OSError: one of the files is gone already.
        """
        self._files = [identity(part) for part in self._parts]
        if self._files[0] is None:
            raise OSError(f"{self.path} was deleted")

    def is_there(self) -> bool:
        """Whether the noted files are still in their place; takes 5 microseconds."""
        return all(identity(part) == file for part, file in zip(self._parts, self._files, strict=True))

    def make(self, is_last_chance: bool = False) -> None:
        """Make the run directory again after it was deleted or moved away.

        This needs the same parent folder: if that is gone too, or the disk is not mounted, nobody would find the new
        directory.

        Args:
            is_last_chance: make the directory even in another parent folder.

        Raises:
            OSError: the directory cannot be made, or another run lies there; the message is for a person.
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
        """Write all data that a connection sees to the place, even if its own files are deleted; set other files aside.

        Raises:
            sqlite3.Error: the data cannot be read.
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
        """Rename a database that somebody has put there, and delete a log without a database."""
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
    """The id of the run in a directory; None if the directory holds no run."""
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
