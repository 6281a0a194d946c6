"""The answers: SQLite is their system of record, annotations.pickle what the other loops see of them."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from backend.database import Database, RefusedError
from config import UsageError
from IA import protocol

log = logging.getLogger(__name__)

Label = Literal["positive", "negative", "skipped"]
Source = Literal["key", "button", "timeout", "api"]

DATABASE = "labels.sqlite3"
PUBLISH_AFTER_S = 0.05  # answers that come closer together are published together
PUBLISH_AGAIN_S = 1.0
AS_IN_PICKLE: dict[str, bool | None] = {"positive": True, "negative": False, "skipped": None}
FIELDS = "id, path, label, source, client, shown_ms, probability, time"
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    label TEXT NOT NULL,
    source TEXT NOT NULL,
    client TEXT NOT NULL,
    shown_ms INTEGER,
    probability REAL,
    time REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'standing' CHECK (state IN ('standing', 'superseded', 'undone'))
);
CREATE INDEX IF NOT EXISTS answers_of_path ON answers (path, seq);
CREATE INDEX IF NOT EXISTS answers_of_client ON answers (client, seq) WHERE state <> 'undone';
CREATE INDEX IF NOT EXISTS answers_standing ON answers (seq) WHERE state = 'standing';
PRAGMA user_version = 1;
"""


class NothingToUndoError(RefusedError):
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
        shown_ms: how long the image had been on the screen.
        probability: what the model had said when the image was handed out.
        time: when, seconds since 1970.
    """

    id: str
    path: str
    label: Label
    source: Source
    client: str
    shown_ms: int | None = None
    probability: float | None = None
    time: float = field(default_factory=time.time)

    @property
    def when(self) -> str:
        """The time as ISO 8601, UTC."""
        return datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class _Change:
    """What became of the standing label of one path; `label` None: it has none any more."""

    path: str
    label: Label | None
    newest: bool


class Labels:
    """All answers of one run.

    `on_change(path)` is called from the writing thread when the label of an image has changed, before the answer is
    acknowledged. Another thread publishes annotations.pickle.
    """

    def __init__(self, run: Path, on_change: Callable[[str], None] = lambda path: None) -> None:
        self._run = run
        self._on_change = on_change
        self._lock = threading.Lock()
        self._standing: dict[str, Label] = {}
        self._counts = dict.fromkeys(get_args(Label), 0)
        self._database = Database(run / DATABASE)
        self._to_publish = threading.Event()
        self._closing = threading.Event()
        self._load()
        self._publisher = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._publisher.start()

    # --- asking -------------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many images stand as positive, negative and skipped."""
        with self._lock:
            return dict(self._counts)

    def label(self, path: str) -> Label | None:
        """The standing label of one image."""
        return self._standing.get(path)

    def standing(
        self, label: Label | None = None, limit: int = -1, offset: int = 0, newest: bool = True
    ) -> Iterator[Answer]:
        """The standing answers, one an image, read from the disk as they are taken.

        Args:
            label: only these.
            limit: at most this many; -1: all.
            offset: leave out this many first.
            newest: newest first, else in the order answered.
        """
        only = "AND label = :label" if label else ""
        order = "DESC" if newest else "ASC"
        query = f"SELECT {FIELDS} FROM answers WHERE state = 'standing' {only} ORDER BY seq {order} LIMIT :limit"
        with contextlib.closing(self._database.open()) as connection:
            for row in connection.execute(
                f"{query} OFFSET :offset", {"label": label, "limit": limit, "offset": offset}
            ):
                yield Answer(*row)

    # --- answering ----------------------------------------------------------------------------------------------------

    def annotate(self, answer: Answer) -> "Future[Answer]":
        """Store an answer.

        Returns:
            The answer as stored, once it is durable: the first with this id. Fails with NotDurableError.
        """
        return self._database.submit(lambda connection: _annotate(connection, answer), self._apply)

    def undo(self, client: str) -> "Future[Answer]":
        """Take back the client's last answer; what stood before it stands again.

        Returns:
            The answer taken back, once that is durable. Fails with NothingToUndoError or NotDurableError.
        """
        return self._database.submit(lambda connection: _undo(connection, client), self._apply)

    def close(self) -> None:
        """Store what is waiting, publish it, and end both threads."""
        self._database.close()
        self._closing.set()
        self._to_publish.set()
        self._publisher.join()

    def _apply(self, change: _Change | None) -> None:
        if change is None:
            return
        with self._lock:
            before = self._standing.pop(change.path, None)
            if before is not None:
                self._counts[before] -= 1
            if change.label is not None:
                self._standing[change.path] = change.label
                self._counts[change.label] += 1
                if not change.newest:
                    self._standing = self._in_order()
        self._on_change(change.path)
        self._to_publish.set()

    def _in_order(self) -> dict[str, Label]:
        """The standing labels in the order answered, as the disk has them."""
        return {answer.path: answer.label for answer in self.standing(newest=False)}

    def _load(self) -> None:
        """Read what stands.

        Raises:
            UsageError: the database cannot be opened or is not one.
        """
        try:
            with contextlib.closing(self._database.open()) as connection:
                connection.executescript(SCHEMA)
            self._standing = self._in_order()
        except sqlite3.Error as error:
            self._database.close()
            path = self._run / DATABASE
            raise UsageError(
                f"The answers in {path} cannot be read ({error}); restore a copy, or add --reset."
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


# --- the jobs ---------------------------------------------------------------------------------------------------------


def _annotate(connection: sqlite3.Connection, answer: Answer) -> tuple[Answer, _Change | None]:
    known = connection.execute(f"SELECT {FIELDS} FROM answers WHERE id = ?", (answer.id,)).fetchone()
    if known:
        return Answer(*known), None
    path = _bytes(answer.path)
    connection.execute(
        "UPDATE answers SET state = 'superseded' WHERE path = CAST(? AS TEXT) AND state = 'standing'", (path,)
    )
    connection.execute(
        f"INSERT INTO answers ({FIELDS}) VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)",
        (answer.id, path, *astuple(answer)[2:]),
    )
    return answer, _Change(answer.path, answer.label, newest=True)


def _undo(connection: sqlite3.Connection, client: str) -> tuple[Answer, _Change | None]:
    row = connection.execute(
        f"SELECT seq, state, {FIELDS} FROM answers WHERE client = ? AND state <> 'undone' ORDER BY seq DESC LIMIT 1",
        (client,),
    ).fetchone()
    if row is None:
        raise NothingToUndoError
    seq, state, *fields = row
    answer = Answer(*fields)
    connection.execute("UPDATE answers SET state = 'undone' WHERE seq = ?", (seq,))
    change = _Change(answer.path, _restore(connection, answer.path), newest=False) if state == "standing" else None
    return answer, change


def _restore(connection: sqlite3.Connection, path: str) -> Label | None:
    """Let the newest answer to this image that was not taken back stand again."""
    row = connection.execute(
        "UPDATE answers SET state = 'standing' WHERE seq ="
        " (SELECT max(seq) FROM answers WHERE path = CAST(? AS TEXT) AND state = 'superseded') RETURNING label",
        (_bytes(path),),
    ).fetchone()
    label: Label | None = row[0] if row else None
    return label


def _bytes(path: str) -> bytes:
    """The path as the file system has it: SQLite takes any bytes as text, Python's str with them it does not."""
    return path.encode("utf-8", "surrogateescape")
