"""What an iterator yields, made a little ahead in a thread of its own."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from IA.process.priority import give_way

Item = TypeVar("Item")


class Lookahead(Generic[Item]):
    """The thread works while the one who takes the items does something else; it ends when nobody refers to this."""

    def __init__(self, items: Iterator[Item], ahead: int, gives_way: bool) -> None:
        """Begin at once.

        Args:
            items: what is to be made; from now on for that thread alone.
            ahead: how many items at most wait to be taken.
            gives_way: whether that thread, and what it starts, gives way to others.
        """
        self._items = items
        self._executor = ThreadPoolExecutor(1, "ahead", initializer=give_way if gives_way else None)
        self._coming: deque[Future[Item | None]] = deque(self._next() for _ in range(ahead))

    def is_ready(self, wait_s: float) -> bool:
        """Whether `take` would return at once; waits for so many seconds until it would."""
        return bool(wait([self._coming[0]], wait_s).done)

    def take(self) -> Item | None:
        """The next item; None when there are no more.

        Raises:
            Whatever the iterator raised.
        """
        self._coming.append(self._next())
        return self._coming.popleft().result()

    def close(self) -> None:
        """Drop what is not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> "Future[Item | None]":
        return self._executor.submit(next, self._items, None)
