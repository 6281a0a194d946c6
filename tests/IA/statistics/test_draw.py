"""The random draw: an order that never changes for a number of images, and a sample that ends at the first gap."""

import hashlib

import numpy as np
import pytest

from IA.statistics.audit import Division, Sample, ScreeningState
from IA.statistics.draw import AuditSample, RandomOrder, shuffled

FIRST_12 = [2, 1, 3, 11, 7, 9, 5, 8, 4, 10, 0, 6]
FIRST_100_000 = "416bf520dcf62bf2fdd873be05f90349e7f5f9a2f88dc613b8a0b67b70ca4d80"  # SHA-256 of them as int32


def flags(size: int, *which: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """True for these numbers alone."""
    found = np.zeros(size, np.bool_)
    found[list(which)] = True
    return found


def test_the_order_stays_for_good() -> None:
    """Runs are resumed, and go on in the order in which earlier versions of this program began."""
    assert shuffled(12).tolist() == FIRST_12
    assert hashlib.sha256(shuffled(100_000).tobytes()).hexdigest() == FIRST_100_000


@pytest.mark.parametrize("sizes", [(500,), (1, 2, 500), (0, 499, 499, 500)])
def test_the_order_is_the_same_however_images_join(sizes: tuple[int, ...]) -> None:
    """All at once or one after the other."""
    order = RandomOrder()
    for size in sizes:
        assert sorted(order.of(size)) == list(range(size))
    assert order.of(500).tolist() == shuffled(500).tolist()


def test_the_sample_ends_at_the_first_gap() -> None:
    """What was drawn beyond an open image is none of it, nor is what was not drawn or has no label."""
    order = np.array([5, 3, 0, 4, 1, 2], np.int32)
    sample = AuditSample.from_order(order, flags(6, 4, 2), flags(6, 5, 0, 1), flags(6, 0, 1, 3))
    assert sample.images.tolist() == [5, 0]
    assert sample.is_positive.tolist() == [False, True]
    assert sample.screening(3) == ScreeningState(2, Sample(4, 2, 1))


def test_the_sample_is_all_that_was_drawn_when_nothing_is_open() -> None:
    """Then there is no gap."""
    order = np.array([2, 0, 1], np.int32)
    sample = AuditSample.from_order(order, flags(3), flags(3, 0, 1), flags(3, 1))
    assert sample.images.tolist() == [0, 1]
    assert sample.screening(1) == ScreeningState(0, Sample(2, 2, 1))


def test_both_parts_of_a_division_have_their_share_of_the_sample() -> None:
    """Open images and drawn ones are counted on their side of the threshold."""
    sample = AuditSample(flags(8, 0, 1, 2), np.array([5, 6, 7], np.int32), np.array([True, False, True]))
    assert sample.division(4, flags(8, 0, 5, 6, 3)) == Division(4, Sample(3, 2, 1), Sample(3, 1, 1))
