"""The labels that a model gave to images without an answer; they are kept apart from people's answers, and not learnt.

A finish is written in chunks, so that answers do not wait for it. It takes effect when its last transaction commits;
at most one stands. What a crash or a full disk leaves of another is deleted in the background. A person's answer
counts, whenever it was given: readers leave out the model's label of such an image.
"""

import contextlib
import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from backend.store.database import Database, NotDurableError, RefusedError
from backend.store.table import in_bytes

log = logging.getLogger(__name__)

State = Literal["writing", "standing", "undone"]

CHUNK = 2000  # A transaction stores so many labels; it takes some 10 ms, in which no answer is acknowledged.
REST = 1  # After a chunk that took t seconds the thread leaves the disk to answers for REST * t.
AGAIN_S = 1.0


class BusyError(RefusedError):
    """Another finish is being written."""


class NoFinishError(RefusedError):
    """No finish stands, so none can be taken back."""


@dataclass(frozen=True)
class Finish:
    """One decision to let the model label the unanswered images.

    Attributes:
        id: the client's own, so that a repeated request is one finish.
        client: who decided.
        threshold: from this probability on the label is positive.
        checkpoint: generation of the checkpoint that the probabilities came from.
        positives: how many images became positive.
        negatives: how many became negative.
        time: when it was decided, seconds since 1970.
        state: whether it is being written, stands, or was taken back.
    """

    id: str
    client: str
    threshold: float
    checkpoint: int
    positives: int = 0
    negatives: int = 0
    time: float = 0.0
    state: State = "writing"


@dataclass(frozen=True)
class Progress:
    """How many labels of the present finish are written."""

    finish: Finish
    done: int
    total: int


class ModelLabels:
    """The finishes of one run; other threads call `on_change()` when a finish takes effect or stops standing."""

    def __init__(self, database: Database, on_change: Callable[[], None] = lambda: None) -> None:
        """Read which finish stands; the thread deletes what an earlier process left unfinished."""
        self._database = database
        self._on_change = on_change
        with contextlib.closing(database.open()) as connection:
            self.standing = standing_finish(connection)
        self.progress: Progress | None = None
        self.trouble: str | None = None  # why the last finish was not written
        self._writing: int | None = None  # its number; only the writing thread of the database uses this
        self._deciding = threading.Lock()  # One thread decides; the others then see its decision.
        self._closing = threading.Event()
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="finishing", daemon=True)
        self._thread.start()
        self._tasks.put(self._sweep)

    # --- deciding -----------------------------------------------------------------------------------------------------

    def write(
        self,
        finish: Finish,
        images: npt.NDArray[np.int32],
        probability: npt.NDArray[np.float32],
        path_of: Callable[[int], str],
    ) -> Finish:
        """Begin to label these images; the earlier finish stands until the new one is complete.

        Args:
            finish: the decision; its counts are computed from the images.
            images: numbers of the images to label.
            probability: probability of each of them.
            path_of: returns the path of a number.

        Returns:
            The finish as stored; if one with this id was stored before, that one.

        Raises:
            BusyError: another finish is being written.
            NotDurableError: the decision could not be stored.
        """
        is_positive = probability >= finish.threshold
        positives = int(is_positive.sum())
        finish = replace(
            finish, positives=positives, negatives=len(images) - positives, time=finish.time or time.time()
        )
        with self._deciding:
            known = self.known(finish.id)
            if known is not None:
                return known
            if self.progress is not None:
                raise BusyError
            number = self._database.submit(lambda connection: self._begin(connection, finish), _ignore).result()
            self.trouble = None
            self.progress = Progress(finish, 0, len(images))
        self._tasks.put(partial(self._write, number, finish, images, probability, is_positive, path_of))
        return finish

    def known(self, id: str) -> Finish | None:
        """The finish with this id, if there was one."""
        for finish in (self.progress.finish if self.progress else None, self.standing):
            if finish is not None and finish.id == id:
                return finish
        with contextlib.closing(self._database.open()) as connection:
            row = connection.execute(
                "SELECT id, client, threshold, checkpoint, 0, 0, time, state FROM finishes WHERE id = ?"
                " AND state = 'undone'",
                (id,),
            ).fetchone()
        return Finish(*row) if row else None

    def undo(self) -> Finish:
        """Take back the finish that stands, with all its labels.

        Raises:
            BusyError: a finish is being written.
            NoFinishError: no finish stands.
            NotDurableError: the change could not be stored.
        """
        with self._deciding:
            before = self.standing
            if self.progress is not None:
                raise BusyError
            if before is None:
                raise NoFinishError
            try:
                self._database.submit(_undo, self._take).result()
            except NotDurableError:
                self._tasks.put(self._settle)
                raise
        self._tasks.put(self._sweep)
        return replace(before, state="undone")

    def paths(self) -> list[str]:
        """The paths of the images that the finish that stands has labelled."""
        with contextlib.closing(self._database.open()) as connection:
            rows = connection.execute(
                "SELECT path FROM model_labels WHERE finish = (SELECT seq FROM finishes WHERE state = 'standing')"
            )
            return [path for (path,) in rows]

    def wait(self) -> None:
        """Wait until all decisions are carried out."""
        done = threading.Event()
        self._tasks.put(done.set)
        done.wait()

    def close(self) -> None:
        """End the thread; the next start deletes a finish that is not complete."""
        self._closing.set()
        self._tasks.put(None)
        self._thread.join()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()

    def _write(
        self,
        number: int,
        finish: Finish,
        images: npt.NDArray[np.int32],
        probability: npt.NDArray[np.float32],
        is_positive: npt.NDArray[np.bool_],
        path_of: Callable[[int], str],
    ) -> None:
        try:
            for start in range(0, len(images), CHUNK):
                if self._closing.is_set():
                    return
                began_s = time.monotonic()
                part = slice(start, start + CHUNK)
                rows = [
                    (number, in_bytes(path_of(image)), "positive" if positive else "negative", chance)
                    for image, positive, chance in zip(
                        images[part].tolist(), is_positive[part].tolist(), probability[part].tolist(), strict=True
                    )
                ]
                self._database.submit(partial(insert, rows=rows), _ignore).result()
                if self.progress is not None:
                    self.progress = replace(self.progress, done=start + len(rows))
                self._closing.wait(REST * (time.monotonic() - began_s))
            self._database.submit(partial(stand, number=number, finish=finish), self._take).result()
            log.info("the model has labelled %d images", len(images))
        except NotDurableError as error:
            log.warning("the labels of the model could not be stored (%s); none of them counts", error)
            self.trouble = f"The labels could not be stored ({error}); none of them counts."
            self._settle()
        self._writing = None
        self._sweep()

    def _settle(self) -> None:
        """Read the disk after a failure, because its data counts; a finish that was refused may stand there."""
        while not self._closing.is_set():
            try:
                self._database.submit(lambda connection: (None, standing_finish(connection)), self._take).result()
                return
            except NotDurableError:
                self._closing.wait(AGAIN_S)

    def _sweep(self) -> None:
        """Delete the labels of finishes that do not stand, one chunk at a time."""
        try:
            while not self._closing.is_set() and self._database.submit(self._delete, _ignore).result():
                pass
        except NotDurableError as error:
            log.warning("labels of the model that do not count could not be deleted (%s)", error)

    # --- jobs, done by the writing thread of the database -------------------------------------------------------------

    def _begin(self, connection: sqlite3.Connection, finish: Finish) -> tuple[int, None]:
        # A finish that a crash has interrupted gives its id up for a repeated request; the sweep still finds it.
        connection.execute("UPDATE finishes SET id = id || '/' || seq WHERE id = ?", (finish.id,))
        [number] = connection.execute(
            "INSERT INTO finishes (id, client, time, threshold, checkpoint, state) VALUES (?, ?, ?, ?, ?, 'writing')"
            " RETURNING seq",
            (finish.id, finish.client, finish.time, finish.threshold, finish.checkpoint),
        ).fetchone()
        self._writing = number
        return number, None

    def _delete(self, connection: sqlite3.Connection) -> tuple[bool, None]:
        """Delete some labels that do not count; returns whether there were any."""
        rows = connection.execute("SELECT seq, state FROM finishes WHERE state <> 'standing'").fetchall()
        for number, state in rows:
            if number == self._writing:
                continue
            deleted = connection.execute(
                "DELETE FROM model_labels WHERE finish = ?1 AND path IN"
                " (SELECT path FROM model_labels WHERE finish = ?1 LIMIT ?2)",
                (number, CHUNK),
            ).rowcount
            if deleted:
                return True, None
            if state == "writing":
                connection.execute("DELETE FROM finishes WHERE seq = ?", (number,))
        return False, None

    def _take(self, standing: Finish | None) -> None:
        self.standing, self.progress = standing, None
        self._on_change()


def insert(connection: sqlite3.Connection, rows: list[tuple[int, bytes, str, float]]) -> tuple[None, None]:
    """Store a chunk: number of the finish, path, label and probability of each image."""
    connection.executemany("INSERT INTO model_labels VALUES (?, CAST(? AS TEXT), ?, ?)", rows)
    return None, None


def stand(connection: sqlite3.Connection, number: int, finish: Finish) -> tuple[None, Finish]:
    """Make this finish the only one that stands."""
    connection.execute("UPDATE finishes SET state = 'undone' WHERE state = 'standing'")
    connection.execute("UPDATE finishes SET state = 'standing' WHERE seq = ?", (number,))
    return None, replace(finish, state="standing")


def _undo(connection: sqlite3.Connection) -> tuple[None, None]:
    connection.execute("UPDATE finishes SET state = 'undone' WHERE state = 'standing'")
    return None, None


def _ignore(_: Any) -> None:
    """Apply nothing, because readers look up what the job has changed."""


# --- questions --------------------------------------------------------------------------------------------------------


def standing_finish(connection: sqlite3.Connection) -> Finish | None:
    """The finish that stands, with its counts as they were written."""
    row = connection.execute(
        "SELECT seq, id, client, threshold, checkpoint, time FROM finishes WHERE state = 'standing'"
    ).fetchone()
    if row is None:
        return None
    number, id, client, threshold, checkpoint, when = row
    counts = dict(
        connection.execute("SELECT label, count(*) FROM model_labels WHERE finish = ? GROUP BY label", (number,))
    )
    positives, negatives = counts.get("positive", 0), counts.get("negative", 0)
    return Finish(id, client, threshold, checkpoint, positives, negatives, when, "standing")
