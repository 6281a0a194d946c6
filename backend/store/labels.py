"""The answers: SQLite is their system of record, annotations.pickle and audit.pickle what the loops see of them."""

import contextlib
import io
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backend.backup import copy_database
from backend.store import contents, label_errors
from backend.store import table as answers
from backend.store.contents import Content, Moved
from backend.store.database import Database
from backend.store.label_errors import SuspectedError, suspected_errors
from backend.store.listener import Listener
from backend.store.moment import Moment
from backend.store.review import Choice, Outline, choose
from backend.store.standing import CurrentLabels, joined
from backend.store.statistics import History, PastAnswer, statistics
from backend.store.table import DATABASE, Answer, Change, Label
from config import UsageError
from IA.images.tiles import Grid
from IA.protocol import files as protocol
from IA.protocol import pickle_file, replacement

log = logging.getLogger(__name__)

PUBLISH_AFTER_S = 0.05  # answers that come closer together are published together
PUBLISH_AGAIN_S = 1.0
REST = 4  # times as long as a publication took nothing is published: answers as fast as these share the disk with it
FROM_PICKLE: dict[bool | None, Label] = {True: "positive", False: "negative", None: "skipped"}


class Labels:
    """All answers of one run.

    The listener is told of what has been stored. Another thread publishes annotations.pickle and audit.pickle.
    """

    def __init__(self, run: Path, listener: Listener | None = None) -> None:
        self._run = run
        self._listener = listener or Listener()
        self._splits: set[str] = set()
        self._moved: dict[str, str] = {}  # new paths by the old ones, which may have moved on
        self._lock = threading.Lock()
        self._standing = CurrentLabels({})
        self._drawn = CurrentLabels({})  # of them those that the model must not learn
        self._reached: set[str] = set()
        self._published_drawn: dict[str, bytes] | None = None  # in audit.pickle; None: not known
        self._database = Database(run / DATABASE, self._recover, self._return)
        self._changes = 0
        self._figures: tuple[tuple[int, int, int], dict[str, Any]] | None = None
        self._counting = threading.Lock()  # one counts, the others wait for what it has found
        self._to_publish = threading.Event()
        self._is_anew = threading.Event()  # what was published may be gone
        self._is_failing = False
        self._closing = threading.Event()
        self._load()
        self._publisher = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._publisher.start()

    @property
    def database(self) -> Database:
        """Where they are stored, by one writer for all."""
        return self._database

    # --- asking -------------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many images stand as positive, negative and skipped."""
        with self._lock:
            return self._standing.counts

    @property
    def photos_positive(self) -> int:
        """How many photos stand as positive, by one tile at least where they are asked about in tiles."""
        return self._standing.photos_positive

    def by_path(self) -> dict[str, Label]:
        """The standing label of every image that has one."""
        with self._lock:
            return self._standing.labels

    def label(self, path: str) -> Label | None:
        """The standing label of one image."""
        return self._standing.label(path)

    def now_at(self, path: str) -> str:
        """Where an image is by now that was there once: its answers were carried over."""
        with self._lock:
            while path in self._moved:
                path = self._moved[path]
        return path

    def is_sampled(self, path: str) -> bool:
        """Whether this image was drawn at random, and the model must not learn its answer."""
        return path in self._drawn

    @property
    def drawn(self) -> int:
        """How many positive and negative answers the model must not learn."""
        with self._lock:
            counts = self._drawn.counts
        return counts["positive"] + counts["negative"]

    def asked_at_random(self, same: Mapping[str, str]) -> int:
        """How many of the images that have an answer were drawn at random, skipped ones too.

        Args:
            same: near duplicates by another name, under which they count once.
        """
        with self._lock:
            if not same:
                return sum(self._drawn.counts.values()) + len(self._reached)
            return len({same.get(path, path) for path in [*self._drawn.entries, *self._reached]})

    @property
    def splits(self) -> set[str]:
        """The images that are not to be asked together with their near duplicates."""
        return self._splits

    def standing(
        self, label: Label | None = None, limit: int = -1, offset: int = 0, newest: bool = True
    ) -> Iterator[Answer]:
        """The standing answers, one an image, read from the disk as they are taken.

        Args:
            label: only these.
            limit: at most this many; -1: all.
            offset: leave out this many first.
            newest: newest first, else in the order answered.

        Raises:
            sqlite3.Error: they cannot be read; at once, before anything is sent to whoever asked.
        """
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(contextlib.closing(self._database.open()))
            found = answers.standing(connection, label, limit, offset, newest)
            return _until_closed(found, stack.pop_all())

    def moment(self, label: Label | None = None, by_path: bool = False) -> Moment:
        """The standing answers as they are now, in the order answered or by path, however long they take to be read.

        Raises:
            sqlite3.Error: they cannot be read.
        """
        return Moment(self._database.open, label, by_path)

    def chosen(
        self, choice: Choice, held_out: Mapping[str, float], limit: int, offset: int
    ) -> tuple[list[Answer], int]:
        """Standing answers by any choice; all of them are looked at once.

        Args:
            choice: which, and in which order.
            held_out: probability of each image by a model that had not learnt this answer.
            limit: at most this many.
            offset: leave out this many first.

        Returns:
            The answers, and how many there are without `limit` and `offset`.
        """
        with contextlib.closing(self._database.open()) as connection:
            numbers = choose(map(Outline._make, answers.outlines(connection)), held_out, choice)
            return answers.numbered(connection, numbers[offset : offset + limit]), len(numbers)

    def suspected_errors(
        self, held_out: Mapping[str, float], said_now: Callable[[str], float | None]
    ) -> list[SuspectedError]:
        """Standing answers that are worth a second look; see `label_errors`."""
        with contextlib.closing(self._database.open()) as connection:
            return suspected_errors(
                map(label_errors.AnswerEvidence._make, answers.circumstances(connection)), held_out, said_now
            )

    def numbered(self, numbers: Sequence[int]) -> list[Answer]:
        """The standing ones of these answers, in this order."""
        with contextlib.closing(self._database.open()) as connection:
            return answers.numbered(connection, numbers)

    def last_import(self) -> tuple[str, int] | None:
        """By which name the last import can be taken back, and how many of its labels stand; None: none do."""
        with contextlib.closing(self._database.open()) as connection:
            return answers.last_import(connection)

    def statistics(self, points: int, same: Mapping[str, str]) -> dict[str, Any]:
        """Figures of all answers ever given, with curves of at most `points` points; counted again after a change.

        Args:
            points: at least 2.
            same: near duplicates by another name, under which they count once; the same object while it is the same.
        """
        with self._counting:
            asked = self._changes, points, id(same)
            if self._figures is None or self._figures[0] != asked:
                with contextlib.closing(self._database.open()) as connection:
                    history = History(map(PastAnswer._make, answers.history(connection)), same)
                self._figures = asked, statistics(history, points)
            return self._figures[1]

    # --- answering ----------------------------------------------------------------------------------------------------

    def annotate(self, answer: Answer) -> "Future[Answer]":
        """Store an answer.

        Returns:
            The answer as stored, once it is durable: the first with this id. Fails with NotDurableError.
        """
        return self._database.submit(lambda connection: answers.store(connection, answer), self._apply)

    def annotate_all(
        self,
        given: Sequence[Answer],
        selected_with: Mapping[str, Sequence[str]] = MappingProxyType({}),
        selected: Sequence[str] = (),
    ) -> "Future[list[Answer]]":
        """Store several answers in the order given: all of them or, where that fails, none.

        Args:
            given: the answers.
            selected_with: by the id of an answer the images that the model has selected on the way to it. Those of them
                that were drawn at random are learnt from then on. It counts only if the answer is stored now.
            selected: images of which the same is true whether an answer is stored or not.

        Returns:
            The answers as stored, once they are durable. Fails with NotDurableError.
        """
        return self._database.submit(
            lambda connection: answers.store_all(connection, given, selected_with, selected),
            lambda effect: self._apply(*effect),
        )

    def undo(self, client: str) -> "Future[list[Answer]]":
        """Take back the client's last answer, or the last group of them; what stood before stands again.

        Returns:
            The answers taken back, in the order answered, once that is durable. Fails with NothingToUndoError or
            NotDurableError.
        """
        return self._database.submit(
            lambda connection: answers.take_back(connection, client), lambda effect: self._apply(*effect)
        )

    def undo_group(self, group: str) -> "Future[int]":
        """Take back all answers that were given together under this name, such as an import; what stood stands again.

        Returns:
            How many, once that is durable. Fails with NothingToUndoError or NotDurableError.
        """
        return self._database.submit(
            lambda connection: answers.take_back_group(connection, group), lambda effect: self._apply(*effect)
        )

    def split(self, paths: Sequence[str], client: str) -> "Future[None]":
        """Have these images asked one by one from now on, also after a restart; fails with NotDurableError."""
        return self._database.submit(lambda connection: answers.split(connection, paths, client), self._apply_split)

    def undo_split(self, client: str) -> "Future[list[str]]":
        """Take back what the client did last, if that was a split.

        Returns:
            The images that were split, none where an answer came last, once that is durable. Fails with
            NotDurableError.
        """
        return self._database.submit(
            lambda connection: answers.take_back_split(connection, client), self._apply_undone_split
        )

    def contents(self, photos: Sequence[str]) -> dict[str, Content]:
        """What is known of what these photos hold. Raises sqlite3.Error."""
        if not photos:
            return {}
        with contextlib.closing(self._database.open()) as connection:
            return contents.known(connection, photos)

    def keep_contents(self, known: Mapping[str, Content]) -> None:
        """Store what photos hold. Raises NotDurableError."""
        self._database.submit(lambda connection: contents.keep(connection, known.items()), lambda _: None).result()

    def carry(self, photos: Sequence[tuple[str, str]], grid: Grid | None) -> list[tuple[str, str]]:
        """Carry all that was said of photos over to where they were moved; see `contents.carry`.

        Returns:
            Old and new path of those that were carried.

        Raises:
            NotDurableError: it could not be stored.
        """
        return self._database.submit(
            lambda connection: contents.carry(connection, photos, grid), self._apply_moved
        ).result()

    def close(self) -> None:
        """Store what is waiting, publish it, and end both threads."""
        self._database.close()
        self._closing.set()
        self._to_publish.set()
        self._publisher.join()

    def _apply(
        self, changes: list[Change], in_order: dict[str, Label] | None = None, selected: Sequence[str] = ()
    ) -> None:
        """Follow what has been stored.

        Args:
            changes: the answers that stand now, or do not any more.
            in_order: all that stood afterwards, where places in the order have changed.
            selected: images that were drawn at random, and that the model has selected now.
        """
        if not changes and not selected:
            return
        with self._lock:
            self._changes += 1
            if in_order is not None:  # jobs of the same transaction that are applied later are in it already
                self._standing = CurrentLabels(in_order)
            else:
                for change in changes:
                    self._standing.put(change.path, change.label)
            for change in changes:
                self._drawn.put(change.path, change.label if change.audit == answers.DRAWN else None)
                self._reached.discard(change.path)
                if change.label is not None and change.audit == answers.SELECTED:
                    self._reached.add(change.path)
            for path in selected:
                self._drawn.put(path, None)
                self._reached.add(path)
        self._listener.labels_changed([*(change.path for change in changes), *selected])
        self._to_publish.set()

    def _apply_moved(self, moved: Moved) -> None:
        with self._lock:
            self._follow_moves(moved.paths.items())
        self._apply(moved.changes, moved.in_order)
        if not self._splits.isdisjoint(moved.paths):
            self._splits = {moved.paths.get(path, path) for path in self._splits}
            self._listener.splits_changed()

    def _follow_moves(self, moves: Iterable[tuple[str, str]]) -> None:
        """Take note of moves, in the order in which they came."""
        for old, new in moves:
            self._moved.pop(new, None)  # it may be back where it was
            self._moved[old] = new

    def _apply_split(self, paths: set[str]) -> None:
        self._splits = self._splits | paths
        self._listener.splits_changed()

    def _apply_undone_split(self, paths: Sequence[str]) -> None:
        if paths:
            self._splits = self._splits.difference(paths)
            self._listener.splits_changed()

    def _recover(self) -> None:
        """After a failure: what the disk has counts. An answer that was refused may be there nevertheless."""
        with contextlib.closing(self._database.open()) as connection:
            now = CurrentLabels(answers.labels_in_order(connection))
            drawn, reached = answers.marks(connection)
            splits = answers.splits(connection)
        before, drawn_before = self._standing, self._drawn
        with self._lock:
            self._changes += 1
            self._standing, self._drawn, self._reached = now, CurrentLabels(drawn), reached
        changed = before.labels.items() ^ now.labels.items() | drawn_before.labels.items() ^ drawn.items()
        self._listener.labels_changed(list({path for path, _ in changed}))
        if splits != self._splits:
            self._splits = splits
            self._listener.splits_changed()
        self._to_publish.set()

    def _return(self) -> None:
        """The database was gone and is there again: what is published from it may be gone too."""
        self._is_anew.set()
        self._to_publish.set()
        self._listener.directory_returned()

    def _load(self) -> None:
        """Read what stands.

        Raises:
            UsageError: the database cannot be opened, is damaged, or is gone.
        """
        path = self._run / DATABASE
        known = self._known(protocol.ANNOTATIONS)
        try:
            if known and not (path.exists() and path.stat().st_size >= answers.HEADER_BYTES):
                raise sqlite3.DatabaseError(f"it is gone, but {protocol.ANNOTATIONS.name} holds {len(known)}")
            if 0 < (version := answers.version_of(path)) < answers.VERSION:
                copy_database(path, path.with_name(f"{DATABASE}.version-{version}"))
            with contextlib.closing(self._database.open(make=True)) as connection:
                answers.prepare(connection)
                answers.check(connection)
                self._standing = CurrentLabels(answers.labels_in_order(connection))
                drawn, self._reached = answers.marks(connection)
                self._drawn = CurrentLabels(drawn)
                self._splits = answers.splits(connection)
                self._follow_moves(contents.moves(connection))
                lost = answers.unheard_of(connection, known or {})
            self._database.begin()
            if lost:
                self._keep_lost(len(lost))
        except (sqlite3.Error, OSError) as error:
            self._database.close()
            is_machine = isinstance(error, sqlite3.OperationalError)  # a full disk, for one: nothing is lost
            what_to_do = "start again when the disk can be written" if is_machine else "restore a copy, or add --reset"
            reason = str(error).splitlines()[0]
            raise UsageError(f"The answers in {path} cannot be read ({reason}); {what_to_do}.") from None
        if known is None or list(known.items()) != list(self._standing.labels.items()):  # the order counts too
            self._to_publish.set()
        published_drawn = self._known(protocol.AUDIT)
        if published_drawn is not None:
            self._published_drawn = CurrentLabels(published_drawn).entries
        if published_drawn != drawn:
            self._to_publish.set()

    def _known(self, file: pickle_file.PickleFile[dict[str, bool | None]]) -> dict[str, Label] | None:
        """What annotations.pickle or audit.pickle says; None where it is damaged or not there yet."""
        try:
            known = pickle_file.read(self._run, file).content
        except (OSError, ValueError):
            return None
        return {path: FROM_PICKLE[label] for path, label in known.items()}

    def _keep_lost(self, count: int) -> None:
        """Keep annotations.pickle, which holds answers that the database has lost, before it is replaced."""
        pickled = self._run / protocol.ANNOTATIONS.name
        kept = pickled.with_name(f"{pickled.name}.{time.strftime('%Y%m%d-%H%M%S')}")
        replacement.replace(kept, pickled.read_bytes())
        log.warning(
            "%d answers in %s are not in %s; it is kept as %s, for python -m backend.import_labels to take over",
            count,
            pickled,
            DATABASE,
            kept.name,
        )

    # --- the publishing thread ----------------------------------------------------------------------------------------

    def _publish(self) -> None:
        closing, resting_s = False, 0.0
        while not closing:
            self._to_publish.wait()
            self._closing.wait(PUBLISH_AFTER_S + resting_s)
            closing = self._closing.is_set()  # looked at before the last publication, which then holds everything
            began_s = time.monotonic()
            self._publish_once()
            resting_s = REST * (time.monotonic() - began_s) if self._to_publish.is_set() else 0.0

    def _publish_once(self) -> None:
        self._to_publish.clear()
        if self._is_anew.is_set():
            self._is_anew.clear()
            self._published_drawn = None
        with self._lock:
            data = io.BytesIO(self._standing.pickled())
            drawn = self._drawn.entries
        try:
            # Nobody may ever see an answer in annotations.pickle that is to be in audit.pickle and is not: what comes
            # to be there is published before, and what goes (an undo) only afterwards.
            self._publish_sampled((self._published_drawn or {}) | drawn)
            pickle_file.publish_pickled(self._run, protocol.ANNOTATIONS.name, data)
            self._publish_sampled(drawn)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                log.warning("annotations.pickle could not be published (%s); trying again", error)
            self._is_failing = True
            self._to_publish.set()
            self._closing.wait(PUBLISH_AGAIN_S)

    def _publish_sampled(self, drawn: dict[str, bytes]) -> None:
        if drawn != self._published_drawn:
            pickle_file.publish_pickled(self._run, protocol.AUDIT.name, io.BytesIO(joined(drawn)))
            self._published_drawn = drawn


def _until_closed(found: Iterator[Answer], stack: contextlib.ExitStack) -> Iterator[Answer]:
    with stack:
        yield from found
