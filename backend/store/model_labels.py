"""The labels that a model gave to images without an answer: apart from people's answers, and never learnt.

A finish is written in chunks, so that answers do not wait for it. It takes effect when its last transaction commits;
at most one stands. What a crash or a full disk leaves of another is deleted in the background. An answer of a person
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

CHUNK = 2000  # Labels in a transaction; it takes some 10 ms, in which no answer is acknowledged.
REST = 1  # After a chunk that took t seconds the disk is left to answers for REST * t.
AGAIN_S = 1.0


class BusyError(RefusedError):
    """Another finish is being written."""


class NoFinishError(RefusedError):
    """No finish stands that could be taken back."""


@dataclass(frozen=True)
class Finish:
    """One decision to let the model label the rest.

    Attributes:
        id: the client's own, so that a repeated request is one finish.
        client: who decided.
        threshold: from this probability on the label is positive.
        checkpoint: generation of the checkpoint that the probabilities came from.
        positives: how many images became positive.
        negatives: how many became negative.
        time: when, seconds since 1970.
        state: what has become of it.
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
    """How far the finish that is being written has come, in labels."""

    finish: Finish
    done: int
    total: int


class ModelLabels:
    """The finishes of one run; `on_change()` is called from other threads when one stands or does not any more."""

    def __init__(self, database: Database, on_change: Callable[[], None] = lambda: None) -> None:
        """Read which one stands; what an earlier process left unfinished is dropped by and by."""
        self._database = database
        self._on_change = on_change
        with contextlib.closing(database.open()) as connection:
            self.standing = standing_finish(connection)
        self.progress: Progress | None = None
        self.trouble: str | None = None  # why the last one was not written
        self._writing: int | None = None  # its number; only the writing thread of the database looks at it
        self._deciding = threading.Lock()  # One thread decides; the others see that it has been decided.
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
        """Begin to label these images; the finish that stands does so until the new one is complete.

        Args:
            finish: the decision; its counts are taken from the images.
            images: numbers of those to be labelled.
            probability: of each of them.
            path_of: the path of a number.

        Returns:
            The finish as it is stored; one with this id that was stored before, if there is one.

        Raises:
            BusyError: another one is being written.
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
        """The finish of this id, if it was ever decided."""
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
        """Take the finish that stands away, with all its labels.

        Raises:
            BusyError: one is being written.
            NoFinishError: none stands.
            NotDurableError: that could not be stored.
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

    def wait(self) -> None:
        """Wait until everything that was decided is done."""
        done = threading.Event()
        self._tasks.put(done.set)
        done.wait()

    def close(self) -> None:
        """End the thread; a finish that is not complete is dropped at the next start."""
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
        """After a failure: what the disk has counts. A finish that was refused may stand there nevertheless."""
        while not self._closing.is_set():
            try:
                self._database.submit(lambda connection: (None, standing_finish(connection)), self._take).result()
                return
            except NotDurableError:
                self._closing.wait(AGAIN_S)

    def _sweep(self) -> None:
        """Delete labels of finishes that do not stand, a chunk at a time."""
        try:
            while not self._closing.is_set() and self._database.submit(self._delete, _ignore).result():
                pass
        except NotDurableError as error:
            log.warning("labels of the model that do not count could not be deleted (%s)", error)

    # --- jobs, done by the writing thread of the database -------------------------------------------------------------

    def _begin(self, connection: sqlite3.Connection, finish: Finish) -> tuple[int, None]:
        # One that a crash has left unfinished gives its id to the one who asks again; the sweep still finds it.
        connection.execute("UPDATE finishes SET id = id || '/' || seq WHERE id = ?", (finish.id,))
        [number] = connection.execute(
            "INSERT INTO finishes (id, client, time, threshold, checkpoint, state) VALUES (?, ?, ?, ?, ?, 'writing')"
            " RETURNING seq",
            (finish.id, finish.client, finish.time, finish.threshold, finish.checkpoint),
        ).fetchone()
        self._writing = number
        return number, None

    def _delete(self, connection: sqlite3.Connection) -> tuple[bool, None]:
        """Delete some of what does not count; whether there was any."""
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
    """Make a finish count, and no other one."""
    connection.execute("UPDATE finishes SET state = 'undone' WHERE state = 'standing'")
    connection.execute("UPDATE finishes SET state = 'standing' WHERE seq = ?", (number,))
    return None, replace(finish, state="standing")


def _undo(connection: sqlite3.Connection) -> tuple[None, None]:
    connection.execute("UPDATE finishes SET state = 'undone' WHERE state = 'standing'")
    return None, None


def _ignore(_: Any) -> None:
    """Apply nothing: whoever asks looks up what the job has changed."""


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
