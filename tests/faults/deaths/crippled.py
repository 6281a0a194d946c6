"""Servers with one protection taken out, so that a harness shows that it can fail; the product has no such switch."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.store import database
from IA.protocol import replacement

FSYNCS = ("SQLite's fsync", "the file's fsync", "the directory's fsync")
WRITES = ("the wait for the commit", "the replacing of whole files", "the sweep")
CHUNK_BYTES = 64
LATE = 8


def cripple(without: str) -> None:
    """Take one of `FSYNCS` or `WRITES` out of this process; "": nothing."""
    if without:
        _CRIPPLE[without]()


def _without_sqlite_fsync() -> None:
    """SQLite hands its pages to the system, and does not wait for the disk."""
    opened = database.Database.open

    def open_unsafe(self: database.Database) -> sqlite3.Connection:
        connection = opened(self)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    vars(database)["Database"].open = open_unsafe


def _without_fsync_of(is_left_out: Callable[[int], bool]) -> None:
    fsync = os.fsync

    def fsync_unless(descriptor: int) -> None:
        if not is_left_out(os.fstat(descriptor).st_mode):
            fsync(descriptor)

    vars(os)["fsync"] = fsync_unless


class _Late(sqlite3.Connection):
    """Commits answers some time after they were acknowledged."""

    transactions = 0

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if threading.current_thread().name == "database":
            self.transactions += statement == "COMMIT"
            is_late = statement == "COMMIT" and self.transactions % LATE != 0
            if is_late or (statement == "BEGIN IMMEDIATE" and self.in_transaction):
                return super().execute("SELECT 1")
        return super().execute(statement, *values)


def _without_waiting() -> None:
    connect = sqlite3.connect
    vars(sqlite3)["connect"] = lambda *arguments, **named: connect(*arguments, **named, factory=_Late)


def _without_replacing() -> None:
    def edit(path: Path, data: bytes | memoryview, mode: int = 0o666) -> None:
        with path.open("wb", buffering=0) as file:
            for start in range(0, len(data), CHUNK_BYTES):
                file.write(data[start : start + CHUNK_BYTES])

    vars(replacement)["replace"] = edit


def _without_sweep() -> None:
    def leave(run: Path, *names: str) -> None:
        pass

    vars(replacement)["sweep"] = leave


_CRIPPLE: dict[str, Callable[[], None]] = {
    "SQLite's fsync": _without_sqlite_fsync,
    "the file's fsync": lambda: _without_fsync_of(stat.S_ISREG),
    "the directory's fsync": lambda: _without_fsync_of(stat.S_ISDIR),
    "the wait for the commit": _without_waiting,
    "the replacing of whole files": _without_replacing,
    "the sweep": _without_sweep,
}
