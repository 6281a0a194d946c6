"""All labels of one moment, read a page at a time: a reader that stays would hold up the write-ahead log."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from backend.store import table as answers
from backend.store.model_labels import ModelLabelReader
from backend.store.table import Answer, Label

PAGE = 1000  # answers that are read in one go


class Moment:
    """What stood when this was made, as often as it is asked for, whatever is answered meanwhile.

    People's answers come first, then the model's labels of what has none.

    An answer that was stored changes in two things alone, its state and `audit`. So the numbers of those that stand (8
    bytes each) are enough to find the same ones again, and no transaction is open between two pages: a download of
    hours does not keep SQLite from copying its log into the file.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], label: Label | None = None, by_path: bool = False
    ) -> None:
        """Take note of what stands.

        Args:
            connect: makes a connection for reading.
            label: only these.
            by_path: answers in this order, so that those to the tiles of a photo follow one another.

        Raises:
            sqlite3.Error: it cannot be read.
        """
        self._connect = connect
        with contextlib.closing(connect()) as connection:
            connection.execute("BEGIN")
            self._numbers = answers.numbers_of(connection, label, by_path)
            is_all = label is None and not by_path
            everybody = self._numbers if is_all else answers.numbers_of(connection, None)
            self._rest = ModelLabelReader(connection, everybody, label)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._numbers) + len(self._rest)

    def __iter__(self) -> Iterator[Answer]:
        """All of them, answers in the order asked for."""
        with contextlib.closing(self._connect()) as connection:
            for start in range(0, len(self._numbers), PAGE):
                yield from answers.numbered(connection, self._numbers[start : start + PAGE], also_replaced=True)
            yield from self._rest.read(connection)
