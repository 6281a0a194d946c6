"""Keeps paths in the order in which they came, and the number of each: a dict of a million would take 150 MB."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np

RECENT = 4096  # A dict holds so many new paths before they join the sorted ones.


class Paths(Sequence[str]):
    """A list that only grows, with a quick way back from a path to its place; one thread adds, any may read."""

    def __init__(self, paths: list[str] | None = None) -> None:
        """Begin with these paths; the list is taken over, not copied."""
        self._paths = [] if paths is None else paths
        self._recent: dict[str, int] = {}
        self._sorted = (array("q"), array("i"))  # hashes in order, and the numbers of their paths
        self._sort()

    def __len__(self) -> int:
        """How many paths there are."""
        return len(self._paths)

    def __getitem__(self, number: int) -> str:  # type: ignore[override]
        """The path of a number."""
        return self._paths[number]

    def __iter__(self) -> Iterator[str]:
        """All paths, in order."""
        return iter(self._paths)

    def as_list(self) -> list[str]:
        """All paths, in order; the list is not a copy, so callers must not change it."""
        return self._paths

    def number(self, path: str) -> int | None:
        """The number of a path; None if it was never added."""
        number = self._recent.get(path)
        if number is not None:
            return number
        hashes, numbers = self._sorted
        wanted = hash(path)
        place = bisect_left(hashes, wanted)
        while place < len(hashes) and hashes[place] == wanted:
            if self._paths[numbers[place]] == path:
                return numbers[place]
            place += 1
        return None

    def add(self, path: str) -> int:
        """Give a new path the next number."""
        number = len(self._paths)
        self._paths.append(path)
        self._recent[path] = number
        if len(self._recent) > max(RECENT, len(self._paths) // 8):
            self._sort()
        return number

    def _sort(self) -> None:
        hashes = np.fromiter(map(hash, self._paths), np.int64, len(self._paths))
        order = np.argsort(hashes).astype(np.int32)
        in_order, numbers = array("q"), array("i")
        in_order.frombytes(hashes[order].tobytes())
        numbers.frombytes(order.tobytes())
        self._sorted = in_order, numbers
        self._recent = {}
