"""Questions about stored answers that are answered from the disk, by connections that only read."""

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
            changes: how often anything has changed so far.
        """
        self._connect = connect
        self._changes = changes
        self._figures: tuple[tuple[int, int, int], dict[str, Any]] | None = None
        self._counting = threading.Lock()  # One thread computes the figures; the others wait and share its result.

    def standing(
        self, label: Label | None = None, limit: int = -1, offset: int = 0, newest: bool = True
    ) -> Iterator[Answer]:
        """The standing answers, one an image, read from the disk as they are taken.

        What cannot be read is found at once, before anything is sent to whoever asked.

        Args:
            label: only these.
            limit: at most this many; -1: all.
            offset: leave out this many first.
            newest: newest first, else in the order answered.
        """
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(contextlib.closing(self._connect()))
            found = answers.standing(connection, label, limit, offset, newest)
            return _until_closed(found, stack.pop_all())

    def moment(self, label: Label | None = None, by_path: bool = False) -> Moment:
        """The standing answers as they are now, in the order answered or by path, however long they take to be read."""
        return Moment(self._connect, label, by_path)

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
        with contextlib.closing(self._connect()) as connection:
            numbers = choose(map(Outline._make, answers.outlines(connection)), held_out, choice)
            return answers.numbered(connection, numbers[offset : offset + limit]), len(numbers)

    def suspected_errors(
        self, held_out: Mapping[str, float], predicted: Callable[[str], float | None]
    ) -> list[SuspectedError]:
        """Standing answers that are worth a second look; see `label_errors`."""
        with contextlib.closing(self._connect()) as connection:
            evidence = map(label_errors.AnswerEvidence._make, answers.circumstances(connection))
            return suspected_errors(evidence, held_out, predicted)

    def numbered(self, numbers: Sequence[int]) -> list[Answer]:
        """The standing ones of these answers, in this order."""
        with contextlib.closing(self._connect()) as connection:
            return answers.numbered(connection, numbers)

    def last_import(self) -> tuple[str, int] | None:
        """By which name the last import can be taken back, and how many of its labels stand; None: none do."""
        with contextlib.closing(self._connect()) as connection:
            return answers.last_import(connection)

    def statistics(self, points: int, same: Mapping[str, str]) -> dict[str, Any]:
        """Figures of all answers ever given, with curves of at most `points` points; computed again after a change.

        Args:
            points: at least 2.
            same: near duplicates by another name, under which they count once; the same object while it is the same.
        """
        with self._counting:
            asked = self._changes(), points, id(same)
            if self._figures is None or self._figures[0] != asked:
                with contextlib.closing(self._connect()) as connection:
                    history = History(map(PastAnswer._make, answers.history(connection)), same)
                self._figures = asked, statistics(history, points)
            return self._figures[1]

    def contents(self, photos: Sequence[str]) -> dict[str, Content]:
        """What is known of what these photos hold."""
        if not photos:
            return {}
        with contextlib.closing(self._connect()) as connection:
            return contents.known(connection, photos)


def _until_closed(found: Iterator[Answer], stack: contextlib.ExitStack) -> Iterator[Answer]:
    with stack:
        yield from found
