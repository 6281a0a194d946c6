"""Reads stored answers from the disk, by connections that only read."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from backend.store import contents
from backend.store import table as answers
from backend.store.contents import Content
from backend.store.figures import label_errors
from backend.store.figures.label_errors import SuspectedError, suspected_errors
from backend.store.figures.review import Choice, Outline, choose
from backend.store.figures.statistics import History, PastAnswer, statistics
from backend.store.moment import Moment
from backend.store.table import Answer
from IA.text.answer_words import Label


class StoredAnswers:
    """Reads the answers of one run; each method raises sqlite3.Error where they cannot be read."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], changes: Callable[[], int]) -> None:
        """Read nothing yet.

        Args:
            connect: makes a connection for reading.
            changes: returns how often anything has changed so far.
        """
        self._connect = connect
        self._changes = changes
        self._figures: tuple[tuple[int, int, int], dict[str, Any]] | None = None
        self._counting = threading.Lock()  # One thread computes the figures; the others wait and share its result.

    def standing(
        self, label: Label | None = None, limit: int = -1, offset: int = 0, newest: bool = True
    ) -> Iterator[Answer]:
        """The standing answers, one per image, read from the disk while the caller takes them.

        The first read comes at once, so that an error comes before a response begins.

        Args:
            label: only answers with this label.
            limit: at most this many; -1: all.
            offset: leave out this many at the beginning.
            newest: give the newest first, else in the order answered.
        """
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(contextlib.closing(self._connect()))
            found = answers.standing(connection, label, limit, offset, newest)
            return _until_closed(found, stack.pop_all())

    def moment(self, label: Label | None = None, by_path: bool = False) -> Moment:
        """The standing answers as they are now, in the order answered or by path, however long the reading takes."""
        return Moment(self._connect, label, by_path)

    def chosen(
        self, choice: Choice, held_out: Mapping[str, float], limit: int, offset: int
    ) -> tuple[list[Answer], int]:
        """Standing answers by any choice; this reads all standing answers once.

        Args:
            choice: which answers, and in which order.
            held_out: probability of each image by a model that had not learnt this answer.
            limit: at most this many.
            offset: leave out this many at the beginning.

        Returns:
            The answers, and their number without `limit` and `offset`.
        """
        with contextlib.closing(self._connect()) as connection:
            numbers = choose(map(Outline._make, answers.outlines(connection)), held_out, choice)
            return answers.numbered(connection, numbers[offset : offset + limit]), len(numbers)

    def suspected_errors(
        self, held_out: Mapping[str, float], predicted: Callable[[str], float | None]
    ) -> list[SuspectedError]:
        """Standing answers that a person should check again; see `label_errors`."""
        with contextlib.closing(self._connect()) as connection:
            evidence = map(label_errors.AnswerEvidence._make, answers.circumstances(connection))
            return suspected_errors(evidence, held_out, predicted)

    def numbered(self, numbers: Sequence[int]) -> list[Answer]:
        """The answers with these numbers that still stand, in this order."""
        with contextlib.closing(self._connect()) as connection:
            return answers.numbered(connection, numbers)

    def last_import(self) -> tuple[str, int] | None:
        """The group by which an undo takes the last import back, and how many of its labels stand; None: none do."""
        with contextlib.closing(self._connect()) as connection:
            return answers.last_import(connection)

    def statistics(self, points: int, same: Mapping[str, str]) -> dict[str, Any]:
        """Figures of all answers ever given, with curves of at most `points` points; computed again after a change.

        Args:
            points: at least 2.
            same: for each near duplicate the path under which its group counts once; always the same object until it
                changes.
        """
        with self._counting:
            asked = self._changes(), points, id(same)
            if self._figures is None or self._figures[0] != asked:
                with contextlib.closing(self._connect()) as connection:
                    history = History(map(PastAnswer._make, answers.history(connection)), same)
                self._figures = asked, statistics(history, points)
            return self._figures[1]

    def contents(self, photos: Sequence[str]) -> dict[str, Content]:
        """The stored contents of these photos."""
        if not photos:
            return {}
        with contextlib.closing(self._connect()) as connection:
            return contents.known(connection, photos)


def _until_closed(found: Iterator[Answer], stack: contextlib.ExitStack) -> Iterator[Answer]:
    with stack:
        yield from found
