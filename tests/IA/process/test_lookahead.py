"""Items made ahead in a thread of its own."""

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from IA.process.lookahead import Lookahead
from IA.process.priority import NICE


def test_items_come_in_order() -> None:
    """Every item comes in order, and then None."""
    ahead = Lookahead(iter(range(5)), 2, gives_way=False)
    assert [ahead.take() for _ in range(7)] == [0, 1, 2, 3, 4, None, None]


def test_nothing_is_made_too_far_ahead() -> None:
    """The thread stops while nobody takes an item, so memory is bounded."""
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = Lookahead(items(), 2, gives_way=False)
    assert [ahead.take() for _ in range(3)] == [0, 1, 2]
    ahead.close()
    assert len(made) <= 5


def test_what_fails_is_told_once() -> None:
    """Whoever takes the item that failed gets the exception, and then the end."""

    def items() -> Iterator[int]:
        yield 1
        raise OSError("no descriptors left")

    ahead = Lookahead(items(), 2, gives_way=False)
    assert ahead.take() == 1
    with pytest.raises(OSError, match="descriptors"):
        ahead.take()
    assert ahead.take() is None


def test_readiness_does_not_wait_for_the_item() -> None:
    """The caller learns that an item is not ready without waiting for it."""
    goes_on = threading.Event()

    def items() -> Iterator[int]:
        goes_on.wait()
        yield 1

    ahead = Lookahead(items(), 1, gives_way=False)
    assert not ahead.is_ready(0)
    goes_on.set()
    assert ahead.is_ready(60)
    assert ahead.take() == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a priority belongs to the whole process")
@pytest.mark.parametrize("gives_way", [True, False])
def test_only_its_thread_and_what_that_starts_gives_way(gives_way: bool) -> None:
    """The thread that takes the items keeps its priority."""

    def own() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    def items() -> Iterator[int]:
        yield own()
        inner: list[int] = []
        thread = threading.Thread(target=lambda: inner.append(own()))
        thread.start()
        thread.join()
        yield inner[0]

    before = own()
    ahead = Lookahead(items(), 1, gives_way)
    lowered = min(19, before + NICE) if gives_way else before
    assert [ahead.take(), ahead.take()] == [lowered, lowered]
    assert own() == before
