"""The answers: SQLite is their system of record, and the loops read them from annotations.pickle and audit.pickle."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType

from backend.store import contents, schema
from backend.store import table as answers
from backend.store.contents import Moved
from backend.store.database import Database, copy_database
from backend.store.listener import CurrentLabel, Listener
from backend.store.places import Placed, store_where_open
from backend.store.publisher import Publisher, published
from backend.store.schema import DATABASE
from backend.store.standing import CurrentLabels
from backend.store.stored import StoredAnswers
from backend.store.table import Answer, Change, Label
from config import UsageError
from IA.images.tiles import Grid
from IA.protocol import files as protocol
from IA.protocol import replacement

log = logging.getLogger(__name__)


class Labels:
    """All answers of one run.

    The listener learns of everything that was stored. Another thread publishes annotations.pickle and audit.pickle.

    Attributes:
        database: the database that holds them, with one writer for all.
        stored: reads the answers from the disk.
        splits: the images that are asked separately from their near duplicates.
    """

    def __init__(self, run: Path, listener: Listener | None = None) -> None:
        self._run = run
        self._listener = listener or Listener()
        self.splits: set[str] = set()
        self._moved: dict[str, str] = {}  # new paths by the old ones; a new path may be an old one of a later move
        self._lock = threading.Lock()
        self._standing = CurrentLabels({})
        self._sampled = CurrentLabels({})  # the labels that the model must not learn
        self._selected: set[str] = set()
        self.database = Database(run / DATABASE, self._recover, self._return)
        self._changes = 0
        self.stored = StoredAnswers(self.database.open, lambda: self._changes)
        self._publisher = Publisher(run, self._current)
        known = self._load()
        with self._lock:
            self._publisher.start(known, self._standing.labels, self._sampled.labels)

    # --- asking -------------------------------------------------------------------------------------------------------

    def counts(self) -> dict[str, int]:
        """How many images are positive, negative and skipped now."""
        with self._lock:
            return self._standing.counts

    @property
    def photos_positive(self) -> int:
        """How many photos are positive now; a photo with tiles is positive if at least one tile is."""
        return self._standing.photos_positive

    def by_path(self) -> dict[str, Label]:
        """The standing label of every image that has one."""
        with self._lock:
            return self._standing.labels

    def label(self, path: str) -> Label | None:
        """The standing label of one image."""
        return self._standing.label(path)

    def now_at(self, path: str) -> str:
        """The present path of an image that was at this path once, and whose answers were carried over."""
        with self._lock:
            while path in self._moved:
                path = self._moved[path]
        return path

    def is_sampled(self, path: str) -> bool:
        """Whether this image was sampled at random, so that the model must not learn its answer."""
        return path in self._sampled

    @property
    def drawn(self) -> int:
        """How many positive and negative answers the model must not learn."""
        with self._lock:
            counts = self._sampled.counts
        return counts["positive"] + counts["negative"]

    def asked_at_random(self, same: Mapping[str, str]) -> int:
        """How many of the answered images, including skipped ones, were sampled at random.

        Args:
            same: for each near duplicate the path under which its group counts once.
        """
        with self._lock:
            if not same:
                return sum(self._sampled.counts.values()) + len(self._selected)
            return len({same.get(path, path) for path in [*self._sampled.entries, *self._selected]})

    # --- answering ----------------------------------------------------------------------------------------------------

    def annotate(self, answer: Answer) -> "Future[Answer]":
        """Store an answer.

        Returns:
            The answer as stored, once it is durable; a repeated id gives the first answer. Fails with NotDurableError.
        """
        return self.database.submit(lambda connection: answers.store(connection, answer), self._apply)

    def annotate_all(
        self,
        given: Sequence[Answer],
        selected_with: Mapping[str, Sequence[str]] = MappingProxyType({}),
        selected: Sequence[str] = (),
    ) -> "Future[list[Answer]]":
        """Store several answers in the order given: all of them or, where that fails, none.

        Args:
            given: the answers.
            selected_with: by the id of an answer, the images that the model has selected before it. The model learns
                those of them that were sampled at random from then on. This counts only if the answer is stored now.
            selected: further images for which this counts even if no answer is stored.

        Returns:
            The answers as stored, once they are durable. Fails with NotDurableError.
        """
        return self.database.submit(
            lambda connection: answers.store_all(connection, given, selected_with, selected),
            lambda effect: self._apply(*effect),
        )

    def annotate_open(self, given: Sequence[Answer]) -> "Future[Placed]":
        """Store those of these answers whose image has none, once they are durable; fails with NotDurableError."""
        return self.database.submit(
            lambda connection: store_where_open(connection, given), lambda effect: self._apply(*effect)
        )

    def undo(self, client: str, group: str | None = None) -> "Future[list[Answer]]":
        """Take back the client's last answer, or its last group of answers; earlier answers stand again.

        Args:
            client: whose answer.
            group: take back only answers of this group; those of the map are taken back in chunks.

        Returns:
            The answers taken back, in the order answered, once that is durable. Fails with NothingToUndoError or
            NotDurableError.
        """
        return self.database.submit(
            lambda connection: answers.take_back(connection, client, group), lambda effect: self._apply(*effect)
        )

    def undo_group(self, group: str) -> "Future[int]":
        """Take back all answers that were given together under this name, such as an import; earlier ones stand again.

        Returns:
            How many answers, once that is durable. Fails with NothingToUndoError or NotDurableError.
        """
        return self.database.submit(
            lambda connection: answers.take_back_group(connection, group), lambda effect: self._apply(*effect)
        )

    def split(self, paths: Sequence[str], client: str) -> "Future[None]":
        """Have these images asked one by one from now on, also after a restart; fails with NotDurableError."""
        return self.database.submit(
            lambda connection: answers.split(connection, paths, client),
            lambda added: self._apply_splits(self.splits | added),
        )

    def undo_split(self, client: str) -> "Future[list[str]]":
        """Take back the client's last action, if that was a split.

        Returns:
            The images that were split, once that is durable; none if an answer came last. Fails with NotDurableError.
        """
        return self.database.submit(
            lambda connection: answers.take_back_split(connection, client),
            lambda removed: self._apply_splits(self.splits.difference(removed)),
        )

    def carry(self, photos: Sequence[tuple[str, str]], grid: Grid | None) -> list[tuple[str, str]]:
        """Carry the answers to photos over to the paths to which the photos were moved; see `contents.carry`.

        Returns:
            Old and new path of the photos whose answers were carried.

        Raises:
            NotDurableError: the change could not be stored.
        """
        return self.database.submit(
            lambda connection: contents.carry(connection, photos, grid), self._apply_moved
        ).result()

    def close(self) -> None:
        """Store the waiting answers, publish them, and end both threads."""
        self.database.close()
        self._publisher.close()

    def _current(self) -> tuple[bytes, dict[str, bytes]]:
        """The data to publish: all labels pickled, and the entries of the labels that the model must not learn."""
        with self._lock:
            return self._standing.pickled(), self._sampled.entries

    def _apply(
        self, changes: list[Change], in_order: dict[str, Label] | None = None, selected: Sequence[str] = ()
    ) -> None:
        """Update the labels in memory after a change was stored.

        Args:
            changes: the answers that stand now, or no longer stand.
            in_order: all labels after the change, if places in the order have changed.
            selected: images that were sampled at random, and that the model has selected now.
        """
        if not changes and not selected:
            return
        with self._lock:
            self._changes += 1
            if in_order is not None:  # It includes jobs of the same transaction that are applied later.
                self._standing = CurrentLabels(in_order)
            else:
                for change in changes:
                    self._standing.put(change.path, change.label)
            for change in changes:
                self._sampled.put(change.path, change.label if change.audit == answers.DRAWN else None)
                self._selected.discard(change.path)
                if change.label is not None and change.audit == answers.SELECTED:
                    self._selected.add(change.path)
            for path in selected:
                self._sampled.put(path, None)
                self._selected.add(path)
            now = [CurrentLabel(each.path, each.label, each.path in self._sampled) for each in changes]
            now += [CurrentLabel(path, self._standing.label(path), False) for path in selected]
        self._listener.labels_changed(now, self._answers)
        self._publisher.publish_soon()

    @property
    def _answers(self) -> int:
        """How many positive and negative answers stand."""
        with self._lock:
            counts = self._standing.counts
        return counts["positive"] + counts["negative"]

    def _apply_moved(self, moved: Moved) -> None:
        with self._lock:
            _follow(self._moved, moved.paths.items())
        self._apply(moved.changes, moved.in_order)
        self._apply_splits({moved.paths.get(path, path) for path in self.splits})

    def _apply_splits(self, splits: set[str]) -> None:
        if splits != self.splits:
            self.splits = splits
            self._listener.splits_changed()

    def _recover(self) -> None:
        """Read the disk after a failure, because its data counts; it may hold an answer that was refused."""
        with contextlib.closing(self.database.open()) as connection:
            now = CurrentLabels(answers.labels_in_order(connection))
            sampled, selected = answers.marks(connection)
            splits = answers.splits(connection)
        before, sampled_before = self._standing, self._sampled
        with self._lock:
            self._changes += 1
            self._standing, self._sampled, self._selected = now, CurrentLabels(sampled), selected
        changed = before.labels.items() ^ now.labels.items() | sampled_before.labels.items() ^ sampled.items()
        shown = [CurrentLabel(path, now.label(path), path in sampled) for path in {path for path, _ in changed}]
        self._listener.labels_changed(shown, self._answers)
        self._apply_splits(splits)
        self._publisher.publish_soon()

    def _return(self) -> None:
        """Publish again after the database was gone and is there again, because the published files may be gone too."""
        self._publisher.publish_again()
        self._listener.directory_returned()

    def _load(self) -> dict[str, Label] | None:
        """Read the standing answers.

        Returns:
            The labels in annotations.pickle; None: there is no readable file.

        Raises:
            UsageError: the database cannot be opened, is damaged, or is gone.
        """
        path = self._run / DATABASE
        known = published(self._run, protocol.ANNOTATIONS)
        try:
            if known and not (path.exists() and path.stat().st_size >= schema.HEADER_BYTES):
                raise sqlite3.DatabaseError(f"it is gone, but {protocol.ANNOTATIONS.name} holds {len(known)}")
            if 0 < (version := schema.version_of(path)) < schema.VERSION:
                copy_database(path, path.with_name(f"{DATABASE}.version-{version}"))
            with contextlib.closing(self.database.open(make=True)) as connection:
                schema.prepare(connection)
                schema.check(connection)
                self._standing = CurrentLabels(answers.labels_in_order(connection))
                sampled, self._selected = answers.marks(connection)
                self._sampled = CurrentLabels(sampled)
                self.splits = answers.splits(connection)
                _follow(self._moved, contents.moves(connection))
                lost = answers.unheard_of(connection, known or {})
            self.database.begin()
            if lost:
                _keep_lost(self._run, len(lost))
        except (sqlite3.Error, OSError) as error:
            self.database.close()
            is_machine = isinstance(error, sqlite3.OperationalError)  # such as a full disk: nothing is lost
            what_to_do = "start again when the disk can be written" if is_machine else "restore a copy, or add --reset"
            reason = str(error).splitlines()[0]
            raise UsageError(f"The answers in {path} cannot be read ({reason}); {what_to_do}.") from None
        return known


def _follow(moved: dict[str, str], moves: Iterable[tuple[str, str]]) -> None:
    """Add moves, in the order in which they came, to `moved`, which has the new path of each old path."""
    for old, new in moves:
        moved.pop(new, None)  # The image may be back at an earlier path.
        moved[old] = new


def _keep_lost(run: Path, count: int) -> None:
    """Keep a copy of annotations.pickle before it is replaced, because it holds answers that the database has lost."""
    pickled = run / protocol.ANNOTATIONS.name
    kept = pickled.with_name(f"{pickled.name}.{time.strftime('%Y%m%d-%H%M%S')}")
    replacement.replace(kept, pickled.read_bytes())
    log.warning(
        "%d answers in %s are not in %s; it is kept as %s, for python -m backend.import_labels to take over",
        count,
        pickled,
        DATABASE,
        kept.name,
    )
