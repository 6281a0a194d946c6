"""A SQLite file with one writing thread: whatever waits is one transaction and one fsync, then all are told."""

import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Effect = TypeVar("Effect")

BATCH = 256
NOT_STORED = (sqlite3.Error, OSError, MemoryError)
CHECKPOINT_PAGES = 16_000  # of 4 KB: with 100,000 answers a checkpoint takes 10 to 30 ms, in which nobody is told


class NotDurableError(Exception):
    """What was to be stored could not be stored durably; it does not count."""


class RefusedError(Exception):
    """A job finds that there is nothing it could do; the others of its transaction go on."""


def as_file_name(data: bytes) -> str:
    """Text as file names come, also where it is no UTF-8."""
    return data.decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class _Job:
    work: Callable[[sqlite3.Connection], tuple[Any, Any]]
    apply: Callable[[Any], None]
    future: "Future[Any]"


class Database:
    """Jobs are done in the order in which they come; each is acknowledged when it is on the disk.

    `on_recovery()` is called from the writing thread when a transaction has failed and the disk is well again: before
    the next job, which may find more there than was acknowledged.
    """

    def __init__(self, path: Path, on_recovery: Callable[[], None]) -> None:
        self._path = path
        self._on_recovery = on_recovery
        self._has_failed = False
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._writer = threading.Thread(target=self._write, name="database", daemon=True)
        self._writer.start()

    def open(self) -> sqlite3.Connection:
        """A connection of one's own, for reading; text that is no UTF-8 comes as file names do.

        Raises:
            sqlite3.Error: there is no such file, or it is no database.
        """
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
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
            work: changes the database; gives the result, and an effect for `apply`. May raise RefusedError.
            apply: is called with the effect once it is durable, before the future is done.

        Returns:
            The result; fails with RefusedError or NotDurableError.
        """
        future: Future[Result] = Future()
        self._jobs.put(_Job(work, apply, future))
        return future

    def close(self) -> None:
        """Do what is waiting, and end the thread."""
        self._jobs.put(None)
        self._writer.join()

    # --- the writing thread -------------------------------------------------------------------------------------------

    def _write(self) -> None:
        closing = False
        while not closing:
            batch = [self._jobs.get()]
            while len(batch) < BATCH and not self._jobs.empty():
                batch.append(self._jobs.get())
            closing = None in batch
            if jobs := [job for job in batch if job is not None]:
                self._transact(jobs)
        self._disconnect()

    def _transact(self, jobs: list[_Job]) -> None:
        """Do all jobs in one transaction; nobody is told before it is durable."""
        jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        try:
            outcomes = self._commit(jobs)
        except NOT_STORED as error:
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
        if self._connection is None:
            self._connection = self.open()
        if self._has_failed:
            self._recover(self._connection)
        self._connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            try:
                outcomes.append(job.work(self._connection))
            except RefusedError as error:
                outcomes.append(error)
        self._connection.execute("COMMIT")
        return outcomes

    def _strike_out(self) -> None:
        """Make sure that the transaction that failed does not count after a restart either.

        Where only its fsync failed it stands whole in the write-ahead log, and would count once that is read anew. A
        transaction that changes nothing, written in its place, takes it away, even if that cannot be synced either.
        """
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            [version] = self._connection.execute("PRAGMA user_version").fetchone()
            self._connection.execute(f"PRAGMA user_version = {version}")
        except NOT_STORED:
            self._disconnect()  # the next job tries a fresh one
            self._has_failed = True

    def _recover(self, connection: sqlite3.Connection) -> None:
        """Bring to the disk what a commit whose fsync failed has left: whoever asks again is told that it is there."""
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
