"""The order of embedding: each image once, half of them at random, the other half beside promising images."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from IA.embedding.order import REACH, EmbeddingOrder


@given(st.sets(st.integers(0, 60)), st.lists(st.integers(-3, 70)), st.integers(0, 3))
def test_everything_once(missing: set[int], promising: list[int], begun: int) -> None:
    """Whatever images are preferred, and whenever, each missing image comes once, and no other."""
    order = EmbeddingOrder(np.array(sorted(missing), np.int64), seed=0)
    first = [number for number, _ in zip(order, range(begun), strict=False)]
    order.prefer_beside(promising)
    remaining = list(order)
    assert len(first) + len(remaining) >= len(missing) - 1  # zip may have taken one too many
    assert len({*first, *remaining}) == len(first) + len(remaining)
    assert {*first, *remaining} <= missing


def test_half_lies_beside_what_is_promising() -> None:
    """While promising images have neighbours, every other image is one of these, the nearest first."""
    order = EmbeddingOrder(np.arange(10_000), seed=0)
    order.prefer_beside([5000, 100])
    taken = [next(order) for _ in range(4 * REACH * 2)]
    near = [number for number in taken if min(abs(number - 5000), abs(number - 100)) <= REACH]
    assert near[:3] == [5001, 4999, 5002]
    assert len(near) == 4 * REACH
    assert 5000 not in taken[:4]


def test_without_a_preference_it_is_a_shuffle() -> None:
    """Before there is a model, any part of the order represents the whole; the same seed gives the same order."""
    order = list(EmbeddingOrder(np.arange(1000), seed=0))
    assert order == list(EmbeddingOrder(np.arange(1000), seed=0))
    assert 400 < np.mean(order[:200]) < 600


def test_tiles_of_a_photo_come_together() -> None:
    """All tiles of a photo come together, and the photos beside a promising tile are preferred, not the tiles."""
    order = EmbeddingOrder(np.array([n for n in range(240) if n != 7]), seed=0, tiles=24)
    order.prefer_beside([130])
    taken = list(order)
    assert sorted(taken) == [n for n in range(240) if n != 7]
    photos = [number // 24 for number in taken]
    changes = sum(one != other for one, other in itertools.pairwise(photos))
    assert changes == 9
    begun = list(dict.fromkeys(photos))
    assert {4, 6} <= set(begun[:5])
