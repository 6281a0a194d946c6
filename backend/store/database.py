"""A SQLite file with one writing thread, which stores all waiting jobs in one transaction with one fsync.

What is committed to a file that was deleted or replaced is lost. So the thread looks for the files before each
transaction, and again before it acknowledges the jobs. If the files are gone, it first writes everything that the
connection still sees of them to the same place again (`backend/store/place.py`).
"""

import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from backend.store.place import Place
from IA.protocol.replacement import replace

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Effect = TypeVar("Effect")

BATCH = 256
NOT_STORED = (sqlite3.Error, OSError, MemoryError)
# The thread waits so long, because a program that deletes a folder file by file fails if a new file comes meanwhile.
SETTLE_S = 0.3
LOOK_EVERY_S = 1.0  # While there are no jobs, the thread looks for the files so often.
# Pages of 4 KB. With 100,000 answers a checkpoint takes 10 to 30 ms, in which no job is acknowledged.
CHECKPOINT_PAGES = 16_000


class NotDurableError(Exception):
    """A job could not be stored durably, so it does not count."""


class RefusedError(Exception):
    """A job has nothing to do; the other jobs of its transaction go on."""


def as_file_name(data: bytes) -> str:
    """Bytes as text in Python's form for file names, also if they are not UTF-8."""
    return data.decode("utf-8", "surrogateescape")


def to_read(path: Path) -> sqlite3.Connection:
    """A connection that only reads a file, while others may write it. Raises sqlite3.Error if there is no such file."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=10)
    connection.text_factory = as_file_name
    return connection


def copy_database(source: Path, target: Path) -> None:
    """Copy the state of a database at one moment, durably, also while others write to it.

    Raises:
        sqlite3.Error: the source is damaged.
        OSError: the disk of the target is full or read-only; no target is left then.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with (
            contextlib.closing(to_read(source)) as connection,
            contextlib.closing(sqlite3.connect(temporary)) as copy,
        ):
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        replace(target, temporary.read_bytes())
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Job:
    work: Callable[[sqlite3.Connection], tuple[Any, Any]]
    apply: Callable[[Any], None]
    future: "Future[Any]"


class Database:
    """Does jobs in the order in which they come, and acknowledges each when it is on the disk.

    The writing thread calls `on_recovery()` when the disk works again after a failed transaction. It does so before the
    next job, because the database may hold more than was acknowledged. The thread calls `on_return()` when the files
    were gone and are there again, because the other files of the directory may still be gone.
    """

    def __init__(
        self, path: Path, on_recovery: Callable[[], None], on_return: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._on_recovery = on_recovery
        self._on_return = on_return
        self._place = Place(path)
        self._is_closed = False
        self._is_lost = False
        self._was_read = True  # whether the data could be read when the files were last written to their place again
        self._has_failed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._writer = threading.Thread(target=self._write, name="database", daemon=True)
        self._writer.start()

    def open(self, make: bool = False) -> sqlite3.Connection:
        """A new connection; it returns text that is not UTF-8 in Python's form for file names.

        Args:
            make: make an empty database if there is none.

        Raises:
            sqlite3.Error: there is no such file, or it is not a database.
        """
        address = f"{self._path.absolute().as_uri()}?mode={'rwc' if make else 'rw'}"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
        connection.text_factory = as_file_name
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def submit(
        self, work: Callable[[sqlite3.Connection], tuple[Result, Effect]], apply: Callable[[Effect], None]
    ) -> "Future[Result]":
        """Do a job in the writing thread.

        Args:
            work: changes the database, and returns the result and an effect for `apply`. May raise RefusedError.
            apply: is called with the effect once the change is durable, before the future is done.

        Returns:
            A future of the result; it fails with RefusedError or NotDurableError.
        """
        future: Future[Result] = Future()
        self._jobs.put(_Job(work, apply, future))
        if self._is_closed:
            self._refuse()
        return future

    def begin(self) -> None:
        """Have the writing thread open the files now, so that their content survives even if they are deleted."""
        with contextlib.suppress(NotDurableError):  # The first job tries again.
            self.submit(lambda _: (None, None), lambda _: None).result()

    def close(self) -> None:
        """Do the waiting jobs and end the thread; later jobs are refused."""
        self._jobs.put(None)
        self._writer.join()
        self._is_closed = True
        self._refuse()

    def _refuse(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None and job.future.set_running_or_notify_cancel():
                    job.future.set_exception(NotDurableError("the session has ended"))

    # --- the writing thread -------------------------------------------------------------------------------------------

    def _write(self) -> None:
        closing = False
        while not closing:
            batch = [self._next()]
            while len(batch) < BATCH and not self._jobs.empty():
                batch.append(self._jobs.get())
            closing = None in batch
            if jobs := [job for job in batch if job is not None]:
                self._transact(jobs)
        with contextlib.suppress(*NOT_STORED):
            self._look(is_last_chance=True)
        self._disconnect()

    def _next(self) -> _Job | None:
        """The next job, or None at the end; looks for the files while it waits."""
        while True:
            try:
                return self._jobs.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                with contextlib.suppress(*NOT_STORED):  # The next look tries again.
                    self._look()

    def _look(self, is_last_chance: bool = False) -> None:
        """Write the files to their place again if they are gone.

        Raises:
            OSError: the files cannot be written; the next look tries again.
            sqlite3.Error: likewise.
        """
        if self._connection is None:
            return
        if self._place.is_there():
            if self._is_lost:
                log.warning("%s is there again.", self._path)
            self._is_lost = False  # Somebody had moved them away and back.
            return
        try:
            self._return(self._connection, is_last_chance)
        except NOT_STORED as error:
            if not self._is_lost or is_last_chance:
                log.warning("No answer can be stored: %s.", error)
            self._is_lost = True
            raise

    def _return(self, connection: sqlite3.Connection, is_last_chance: bool = False) -> None:
        """Write all known data to the place again; if the data cannot be read any more, use the files that lie there.

        Raises:
            OSError: there is no directory to write to, or its disk is full.
            sqlite3.Error: the data cannot be read any more, and no files lie there.
        """
        time.sleep(SETTLE_S)
        self._place.make(is_last_chance)
        self._was_read = True
        try:
            self._place.copy(connection)
        except sqlite3.Error as error:
            if not self._path.exists():
                raise
            self._was_read = False
            log.warning("What was stored cannot be read any more (%s); what is in %s counts.", error, self._path)
        self._disconnect()
        self._has_failed = True  # The state may include a transaction that was not acknowledged.
        self._connect()
        self._is_lost = False
        self._on_return()
        if self._was_read:
            log.warning("%s was deleted or replaced; all answers were written there again.", self._path)

    def _connect(self) -> sqlite3.Connection:
        """Open the connection of the writing thread, and note its files."""
        connection = self.open(make=not self._place.is_known)
        try:
            connection.execute("BEGIN IMMEDIATE")  # From here on SQLite's files exist.
            connection.execute("ROLLBACK")
            self._place.take_note()
        except NOT_STORED:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _transact(self, jobs: list[_Job]) -> None:
        """Do all jobs in one transaction, and acknowledge them once it is durable."""
        jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        try:
            outcomes = self._commit(jobs)
        except NOT_STORED as error:
            if not self._is_lost:
                log.warning("%d answers could not be stored (%s); they do not count", len(jobs), error)
            self._strike_out()
            for job in jobs:
                job.future.set_exception(NotDurableError(str(error)))
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, RefusedError):
                job.future.set_exception(outcome)
            else:
                result, effect = outcome
                job.apply(effect)
                job.future.set_result(result)

    def _commit(self, jobs: list[_Job]) -> list[tuple[Any, Any] | RefusedError]:
        outcomes: list[tuple[Any, Any] | RefusedError] = []
        connection = self._ready()
        if self._has_failed:
            self._recover(connection)
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            try:
                outcomes.append(job.work(connection))
            except RefusedError as error:
                outcomes.append(error)
        connection.execute("COMMIT")
        if self._ready() is not connection and not self._was_read:
            raise OSError("its file was deleted")
        return outcomes

    def _ready(self) -> sqlite3.Connection:
        """A connection whose files are in their place. Raises OSError or sqlite3.Error if that is impossible."""
        if self._connection is None:
            return self._connect()
        self._look()
        return self._connection

    def _strike_out(self) -> None:
        """Make sure that the failed transaction does not count after a restart either.

        If only its fsync failed, the write-ahead log holds it completely, and it would count once the log is read
        again. A transaction that changes nothing, written in its place, removes it, even if that cannot be synced.
        """
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if self._is_lost:  # Only this connection has the data.
                return
            [version] = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {version}")
        except NOT_STORED:
            self._disconnect()  # The next job tries a fresh connection.
            self._has_failed = True

    def _recover(self, connection: sqlite3.Connection) -> None:
        """Sync what a commit with a failed fsync has left, because the server may confirm it to a repeated request."""
        _, logged, stored = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if stored < logged:
            raise sqlite3.OperationalError("the disk is well again, but somebody still reads")
        self._on_recovery()
        self._has_failed = False

    def _disconnect(self) -> None:
        """Close the connection; the next job opens a fresh one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
