"""The answers: SQLite is their system of record, annotations.pickle what the other loops see of them."""

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from config import UsageError
from IA import protocol

log = logging.getLogger(__name__)

Label = Literal["positive", "negative", "skipped"]
Source = Literal["key", "button", "timeout", "api"]
Result = TypeVar("Result")

DATABASE = "labels.sqlite3"
PUBLISH_AFTER_S = 0.05  # answers that come closer together are published together
PUBLISH_AGAIN_S = 1.0
BATCH = 256
AS_IN_PICKLE: dict[str, bool | None] = {"positive": True, "negative": False, "skipped": None}
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    client TEXT NOT NULL,
    time REAL NOT NULL,
    shown_ms INTEGER,
    probability REAL,
    state TEXT NOT NULL DEFAULT 'standing' CHECK (state IN ('standing', 'superseded', 'undone'))
);
CREATE INDEX IF NOT EXISTS answers_of_path ON answers (path, seq);
CREATE INDEX IF NOT EXISTS answers_of_client ON answers (client, seq) WHERE state <> 'undone';
CREATE INDEX IF NOT EXISTS answers_standing ON answers (seq) WHERE state = 'standing';
PRAGMA user_version = 1;
"""


class NotDurableError(Exception):
    """The answer could not be stored durably; it does not count."""


class NothingToUndoError(Exception):
    """This client has no answer left to take back."""


@dataclass(frozen=True)
class Answer:
    """One answer as it was given.

    Attributes:
        id: the client's own, so that a repeated request is stored once.
        path: of the image, relative to DATADIR.
        label: what was answered.
        source: how.
        client: who.
        time: when, seconds since 1970.
        shown_ms: how long the image had been on the screen.
        probability: what the model had said when the image was handed out.
    """

    id: str
    path: str
    label: Label
    source: Source
    client: str
    time: float
    shown_ms: int | None
    probability: float | None

    @property
    def when(self) -> str:
        """The time as ISO 8601, UTC."""
        return datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class _Change:
    """What a job did to the standing label of one path; `label` None: it has none any more."""

    path: str
    label: Label | None
    newest: bool = True


@dataclass(frozen=True)
class _Job:
    work: Callable[[sqlite3.Connection, list[_Change]], Any]
    future: "Future[Any]"


class Labels:
    """All answers of one run.

    One thread writes: whatever waits is one transaction and one fsync, and only then are those who wait told.
    Another publishes annotations.pickle. `on_change(path, label)` is called from the writing thread, before the
    answer is acknowledged.
    """

    def __init__(self, run: Path, on_change: Callable[[str, Label | None], None] = lambda path, label: None) -> None:
        self._run = run
        self._on_change = on_change
        self._lock = threading.Lock()
        self._standing: dict[str, Label] = {}
        self._counts = dict.fromkeys(get_args(Label), 0)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._to_publish = threading.Event()
        self._closing = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._load()
        self._writer = threading.Thread(target=self._write, name="labels-writer", daemon=True)
        self._publisher = threading.Thread(target=self._publish, name="labels-publisher", daemon=True)
        self._writer.start()
        self._publisher.start()

    # --- asking -------------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many images stand as positive, negative and skipped."""
        with self._lock:
            return dict(self._counts)

    def label(self, path: str) -> Label | None:
        """The standing label of one image."""
        return self._standing.get(path)

    def standing(self, label: Label | None = None, limit: int = -1, offset: int = 0, newest: bool = True) -> Iterator[Answer]:
        """The standing answers, one an image, read from the disk as they are taken.

        Args:
            label: only these.
            limit: at most this many; -1: all.
            offset: leave out this many first.
            newest: newest first, else in the order answered.
        """
        fields = "id, path, label, source, client, time, shown_ms, probability"
        only = "AND label = :label" if label else ""
        order = "DESC" if newest else "ASC"
        query = f"SELECT {fields} FROM answers WHERE state = 'standing' {only} ORDER BY seq {order} LIMIT :limit OFFSET :offset"
        with contextlib.closing(self._open()) as connection:
            for row in connection.execute(query, {"label": label, "limit": limit, "offset": offset}):
                yield Answer(*row)

    # --- answering ----------------------------------------------------------------------------------------------------

    def annotate(self, answer: Answer) -> "Future[Answer]":
        """Store an answer.

        Returns:
            The answer as stored, once it is durable: the first with this id. Fails with NotDurableError.
        """

        def work(connection: sqlite3.Connection, changes: list[_Change]) -> Answer:
            known = connection.execute(
                "SELECT id, path, label, source, client, time, shown_ms, probability FROM answers WHERE id = ?",
                (answer.id,),
            ).fetchone()
            if known:
                return Answer(*known)
            connection.execute(
                "UPDATE answers SET state = 'superseded' WHERE path = CAST(? AS TEXT) AND state = 'standing'",
                (_bytes(answer.path),),
            )
            connection.execute(
                "INSERT INTO answers (id, path, label, source, client, time, shown_ms, probability)"
                " VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)",
                (
                    answer.id,
                    _bytes(answer.path),
                    answer.label,
                    answer.source,
                    answer.client,
                    answer.time,
                    answer.shown_ms,
                    answer.probability,
                ),
            )
            changes.append(_Change(answer.path, answer.label))
            return answer

        return self._submit(work)

    def undo(self, client: str) -> "Future[Answer]":
        """Take back the client's last answer; what stood before it stands again.

        Returns:
            The answer taken back, once that is durable. Fails with NothingToUndoError or NotDurableError.
        """

        def work(connection: sqlite3.Connection, changes: list[_Change]) -> Answer:
            row = connection.execute(
                "SELECT seq, state, id, path, label, source, client, time, shown_ms, probability FROM answers"
                " WHERE client = ? AND state <> 'undone' ORDER BY seq DESC LIMIT 1",
                (client,),
            ).fetchone()
            if row is None:
                raise NothingToUndoError
            seq, state, *fields = row
            answer = Answer(*fields)
            connection.execute("UPDATE answers SET state = 'undone' WHERE seq = ?", (seq,))
            if state == "standing":
                changes.append(_Change(answer.path, _restore(connection, answer.path), newest=False))
            return answer

        return self._submit(work)

    def close(self) -> None:
        """Store what is waiting, publish it, and end both threads."""
        self._jobs.put(None)
        self._writer.join()
        self._closing.set()
        self._to_publish.set()
        self._publisher.join()

    # --- the writing thread -------------------------------------------------------------------------------------------

    def _submit(self, work: Callable[[sqlite3.Connection, list[_Change]], Result]) -> "Future[Result]":
        future: Future[Result] = Future()
        self._jobs.put(_Job(work, future))
        return future

    def _write(self) -> None:
        closing = False
        while not closing:
            batch = [self._jobs.get()]
            while len(batch) < BATCH and not self._jobs.empty():
                batch.append(self._jobs.get())
            closing = None in batch
            jobs = [job for job in batch if job is not None]
            if jobs:
                self._transact(jobs)
        self._disconnect()

    def _transact(self, jobs: list[_Job]) -> None:
        """Do all jobs in one transaction; nobody is told before it is durable."""
        changes: list[_Change] = []
        outcomes: list[tuple[Future[Any], Any, Exception | None]] = []
        try:
            if self._connection is None:
                self._connection = self._open()
            self._connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                try:
                    outcomes.append((job.future, job.work(self._connection, changes), None))
                except NothingToUndoError as error:
                    outcomes.append((job.future, None, error))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            log.warning("%d answers could not be stored (%s); they do not count", len(jobs), error)
            self._disconnect()
            for job in jobs:
                job.future.set_exception(NotDurableError(str(error)))
            return
        self._apply(changes)
        for future, result, failure in outcomes:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

    def _apply(self, changes: list[_Change]) -> None:
        with self._lock:
            for change in changes:
                before = self._standing.pop(change.path, None)
                if before is not None:
                    self._counts[before] -= 1
                if change.label is not None:
                    self._standing[change.path] = change.label
                    self._counts[change.label] += 1
            if any(change.label is not None and not change.newest for change in changes):
                self._standing = self._in_order()
        for change in changes:
            self._on_change(change.path, self._standing.get(change.path))
        if changes:
            self._to_publish.set()

    def _in_order(self) -> dict[str, Label]:
        """The standing labels in the order answered, after an older answer came to stand again."""
        return {answer.path: answer.label for answer in self.standing(newest=False)}

    def _disconnect(self) -> None:
        """Close the connection; an open transaction is rolled back, and the next job opens a fresh one."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    # --- the disk -----------------------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._run / DATABASE, isolation_level=None, check_same_thread=False, timeout=10)
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")  # file names are bytes
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _load(self) -> None:
        """Read what stands.

        Raises:
            UsageError: the database cannot be opened or is not one.
        """
        try:
            self._connection = self._open()
            self._connection.executescript(SCHEMA)
            self._standing = self._in_order()
        except sqlite3.Error as error:
            raise UsageError(
                f"The answers in {self._run / DATABASE} cannot be read ({error}); restore them from a copy, or add --reset."
            ) from None
        for label in self._standing.values():
            self._counts[label] += 1
        try:
            known = protocol.read(self._run, protocol.ANNOTATIONS).content
        except (OSError, ValueError):
            known = None
        if known != self._as_pickled():
            self._to_publish.set()

    # --- the publishing thread ----------------------------------------------------------------------------------------

    def _publish(self) -> None:
        closing = False
        while not closing:
            self._to_publish.wait()
            self._closing.wait(PUBLISH_AFTER_S)
            closing = self._closing.is_set()  # looked at before the last publication, which then holds everything
            self._publish_once()

    def _publish_once(self) -> None:
        self._to_publish.clear()
        try:
            protocol.publish(self._run, protocol.ANNOTATIONS, self._as_pickled())
        except OSError as error:
            log.warning("annotations.pickle could not be published (%s); trying again", error)
            self._to_publish.set()
            self._closing.wait(PUBLISH_AGAIN_S)

    def _as_pickled(self) -> dict[str, bool | None]:
        with self._lock:
            return {path: AS_IN_PICKLE[label] for path, label in self._standing.items()}


def new_answer(
    *, id: str, path: str, label: Label, source: Source, client: str, shown_ms: int | None, probability: float | None
) -> Answer:
    """An answer given now."""
    return Answer(id, path, label, source, client, time.time(), shown_ms, probability)


def _bytes(path: str) -> bytes:
    """The path as the file system has it: SQLite takes any bytes as text, Python's str with them it does not."""
    return path.encode("utf-8", "surrogateescape")


def _restore(connection: sqlite3.Connection, path: str) -> Label | None:
    """Let the newest answer to this image that was not taken back stand again."""
    row = connection.execute(
        "SELECT seq, label FROM answers WHERE path = CAST(? AS TEXT) AND state = 'superseded' ORDER BY seq DESC LIMIT 1",
        (_bytes(path),),
    ).fetchone()
    if row is None:
        return None
    connection.execute("UPDATE answers SET state = 'standing' WHERE seq = ?", (row[0],))
    label: Label = row[1]
    return label
