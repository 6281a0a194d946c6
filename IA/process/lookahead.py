"""A thread that makes the items of an iterator a little ahead of whoever takes them."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from IA.process.priority import give_way

Item = TypeVar("Item")


class Lookahead(Generic[Item]):
    """The thread works while the caller does something else, and ends when nothing refers to this object any more."""

    def __init__(self, items: Iterator[Item], ahead: int, gives_way: bool) -> None:
        """Begin at once.

        Args:
            items: makes the items; from now on only the thread may use it.
            ahead: how many items may wait to be taken.
            gives_way: whether the thread, and whatever it starts, gives way to others.
        """
        self._items = items
        self._executor = ThreadPoolExecutor(1, "ahead", initializer=give_way if gives_way else None)
        self._coming: deque[Future[Item | None]] = deque(self._next() for _ in range(ahead))

    def is_ready(self, wait_s: float) -> bool:
        """Whether `take` would return at once; waits up to `wait_s` seconds for that."""
        return bool(wait([self._coming[0]], wait_s).done)

    def take(self) -> Item | None:
        """The next item; None when there are no more.

        Raises:
            Whatever the iterator raised.
        """
        self._coming.append(self._next())
        return self._coming.popleft().result()

    def close(self) -> None:
        """Cancel every item that the thread has not begun to make."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _next(self) -> "Future[Item | None]":
        return self._executor.submit(next, self._items, None)
