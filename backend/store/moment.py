"""Reads all labels of one moment a page at a time, because a reader that stays would hold up the write-ahead log."""

import bisect
import contextlib
import sqlite3
from array import array
from collections.abc import Callable, Iterator

from backend.store import table as answers
from backend.store.sources import BY_MODEL
from backend.store.table import Answer, Label, in_bytes

PAGE = 1000  # One query reads so many labels.
OF_FINISH = """
SELECT path, label, probability,
    coalesce((SELECT group_concat(seq) FROM answers WHERE answers.path = model_labels.path), '')
FROM model_labels WHERE finish = ?1 AND path > CAST(?2 AS TEXT) AND (?3 IS NULL OR label = ?3)
ORDER BY path LIMIT ?4
"""


class Moment:
    """The labels that stood when this was made; each iteration gives the same ones, whatever is answered meanwhile.

    People's answers come first, then the model's labels of images without an answer.

    Only the state and `audit` of a stored answer ever change. So the numbers of the standing answers (8 bytes each) are
    enough to find the same ones again, and no transaction is open between two pages: a download that takes hours does
    not keep SQLite from copying its log into the file.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], label: Label | None = None, by_path: bool = False
    ) -> None:
        """Note which labels stand.

        Args:
            connect: makes a connection for reading.
            label: only labels of this kind.
            by_path: give the answers in the order of paths, so that those to the tiles of a photo are consecutive.

        Raises:
            sqlite3.Error: the labels cannot be read.
        """
        self._connect = connect
        with contextlib.closing(connect()) as connection:
            connection.execute("BEGIN")
            self._numbers = answers.numbers_of(connection, label, by_path)
            is_all = label is None and not by_path
            everybody = self._numbers if is_all else answers.numbers_of(connection, None)
            self._by_model = ModelLabelReader(connection, everybody, label)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._numbers) + len(self._by_model)

    def __iter__(self) -> Iterator[Answer]:
        """All labels, the answers in the order asked for."""
        with contextlib.closing(self._connect()) as connection:
            for start in range(0, len(self._numbers), PAGE):
                yield from answers.numbered(connection, self._numbers[start : start + PAGE], also_replaced=True)
            yield from self._by_model.read(connection)


class ModelLabelReader:
    """The labels that the standing finish gives to images without an answer, as they were when this was made."""

    def __init__(self, connection: sqlite3.Connection, answered: "array[int]", label: Label | None = None) -> None:
        """Note which finish stands.

        Args:
            connection: a connection for reading, within a transaction.
            answered: numbers of the answers that stand, ascending.
            label: only labels of this kind.
        """
        self._row = connection.execute(
            "SELECT seq, id, client, checkpoint, time FROM finishes WHERE state = 'standing'"
        ).fetchone()
        self._answered = answered
        self._label = label
        rows = connection.execute(OF_FINISH, (self._row[0], b"", label, -1)) if self._row else []
        self._count = sum(self._counts(given) for *_, given in rows)

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def read(self, connection: sqlite3.Connection) -> Iterator[Answer]:
        """All labels, by path, a page at a time; no transaction is open between two pages.

        Raises:
            sqlite3.Error: the labels cannot be read, or were taken back meanwhile, so that the remaining ones are gone.
        """
        if self._row is None:
            return
        number, id, client, checkpoint, when = self._row
        last = ""
        while True:
            page = connection.execute(OF_FINISH, (number, in_bytes(last), self._label, PAGE)).fetchall()
            stands = connection.execute("SELECT 1 FROM finishes WHERE seq = ? AND state = 'standing'", (number,))
            if stands.fetchone() is None:
                raise sqlite3.DatabaseError("the labels of the model were taken back meanwhile")
            for path, label, probability, given in page:
                if self._counts(given):
                    yield Answer(id, path, label, BY_MODEL, client, None, probability, when, checkpoint=checkpoint)
            if not page:
                return
            last = page[-1][0]

    def _counts(self, given: str) -> bool:
        """Whether none of these answers to its image stood then; a later answer does not matter."""
        return not any(self._stood(int(number)) for number in given.split(",") if number)

    def _stood(self, number: int) -> bool:
        place = bisect.bisect_left(self._answered, number)
        return place < len(self._answered) and self._answered[place] == number
