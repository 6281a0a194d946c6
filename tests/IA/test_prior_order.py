"""What a person has said before any answer moves images forward, and the search that goes on beside it."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from IA.learning.projection import Projection
from IA.pool.view import ProjectedPool
from IA.ranking import ALL_PRIOR, Floats, Known, order

COUNT = 200
FLAT = np.full(COUNT, 0.5, np.float32)
UNKNOWN = np.full(COUNT, np.nan, np.float32)
NONE_OUT = np.zeros(COUNT, np.bool_)
RANDOM = np.random.default_rng(0)
NOISE = RANDOM.uniform(0.05, 0.95, COUNT).astype(np.float32)
PRIOR = RANDOM.standard_normal(COUNT).astype(np.float32)
HIGH, LOW = np.argsort(-PRIOR)[:20], np.argsort(PRIOR)[:20]  # What the prior ranks first, and last.

floats = st.one_of(st.just(float("nan")), st.floats(0, 2, width=32))


def places(known: Known) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each image its place in the order."""
    return np.argsort(order(known, "max_prob", 0, NONE_OUT))


def moved(labels: dict[int, bool]) -> float:
    """How strongly the order by probability follows the prior as well, as a rank correlation."""
    with_prior = places(Known(NOISE, UNKNOWN, PRIOR, labels=labels))
    without = places(Known(NOISE, UNKNOWN, labels=labels))
    return float(np.corrcoef(without - with_prior, PRIOR)[0, 1])


# --- with a model -----------------------------------------------------------------------------------------------------


def test_a_prior_moves_its_images_forward() -> None:
    """Beside a model, images that the prior ranks high come earlier than without it, those it ranks low later."""
    labels = {int(HIGH[0]): True, 5: False}
    earlier = places(Known(NOISE, UNKNOWN, labels=labels)) - places(Known(NOISE, UNKNOWN, PRIOR, labels=labels))
    assert earlier[HIGH].mean() > 10
    assert earlier[LOW].mean() < -10


def test_a_prior_that_misleads_counts_for_nothing() -> None:
    """Once positives are found that it ranked low, the order is that of the model alone."""
    labels = dict.fromkeys(LOW[:5].tolist(), True)
    order_of = [places(Known(NOISE, UNKNOWN, prior, labels=labels)).tolist() for prior in (PRIOR, None)]
    assert order_of[0] == order_of[1]


def test_the_more_positives_the_less_it_counts() -> None:
    """The model knows ever better what is looked for, even if all positives are as the prior says."""
    even = np.zeros(2 * COUNT, np.float32)
    even[::2] = 1  # Found positives all have a prior of 1.
    probability = np.tile(np.array([0.4, 0.55], np.float32), COUNT)

    def lead(positives: int) -> float:
        """How far ahead of the others the images of the prior come on average, in places."""
        labels = dict.fromkeys(range(0, 2 * positives, 2), True)
        known = Known(
            (probability + np.linspace(0, 0.3, 2 * COUNT)).astype(np.float32), even * np.nan, even, labels=labels
        )
        place = np.argsort(order(known, "max_prob", 0, np.zeros(2 * COUNT, np.bool_)))
        return float(place[1::2].mean() - place[::2].mean())

    assert lead(1) > lead(60) > lead(199)


def test_an_image_without_a_prior_is_neutral() -> None:
    """NaN counts as the mean, so between a high and a low prior; where none is known, the prior changes nothing."""
    probability, novelty = np.array([0.5, 0.5, 0.5, 0.1], np.float32), np.full(4, np.nan, np.float32)
    prior = np.array([-1, np.nan, 1, np.nan], np.float32)
    none_out = np.zeros(4, np.bool_)
    assert order(Known(probability, novelty, prior), "max_prob", 0, none_out)[:3].tolist() == [2, 1, 0]
    assert places(Known(NOISE, UNKNOWN, UNKNOWN)).tolist() == places(Known(NOISE, UNKNOWN)).tolist()


@pytest.mark.parametrize("name", ["prior", "spacing", "novelty"])
def test_wrong_lengths_are_refused(name: str) -> None:
    """Figures for another number of images are a mistake of the caller."""
    figures: dict[str, Any] = {"probability": NOISE, "novelty": FLAT, "prior": PRIOR, "spacing": FLAT} | {
        name: FLAT[:7]
    }
    with pytest.raises(ValueError, match="Figures for 7 and 200 images"):
        Known(**figures)


# --- the search -------------------------------------------------------------------------------------------------------


def test_the_search_takes_turns() -> None:
    """The first questions are the prior's; later ones are also those of distance, and those of crowds."""
    novelty = np.linspace(1, 2, COUNT, dtype=np.float32)
    spacing = np.ones(COUNT, np.float32)
    prior = np.zeros(COUNT, np.float32)
    prior[:40], spacing[80:120] = np.linspace(4, 3, 40), 1e-3
    first = order(Known(UNKNOWN, novelty, prior, spacing), "max_prob", 0, NONE_OUT)[:24]
    assert first[:ALL_PRIOR].tolist() == list(range(ALL_PRIOR))
    of_prior, of_crowds, of_distance = (
        [each for each in first.tolist() if low <= each < high] for low, high in ((0, 40), (80, 120), (160, 200))
    )
    assert len(of_prior) + len(of_crowds) + len(of_distance) == 24
    assert min(map(len, (of_prior, of_crowds, of_distance))) >= 4
    assert of_distance == sorted(of_distance, reverse=True)


def test_a_prior_that_knows_nothing_changes_no_search() -> None:
    """Where it knows no image, the order is as without it."""
    novelty = RANDOM.uniform(0, 1, COUNT).astype(np.float32)
    assert places(Known(UNKNOWN, novelty, UNKNOWN)).tolist() == places(Known(UNKNOWN, novelty)).tolist()


def questions_until_the_crowd(with_spacing: bool, seed: int) -> int:
    """How many answers it takes to ask for an image of one tight cluster that lies between loose ones."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((160, 24))
    loose = np.repeat(centres, 3, axis=0) + 0.6 * random.standard_normal((480, 24))
    tight = centres[:5].mean(0) + 0.02 * random.standard_normal((25, 24))  # between some of them
    vectors = torch.from_numpy(np.concatenate([loose, tight]).astype(np.float32))
    view = ProjectedPool.from_vectors(Projection.from_vectors(vectors), vectors)
    spacing = view.spacing(view.embedded) if with_spacing else None
    asked, labels = np.zeros(len(vectors), np.bool_), dict[int, bool]()
    nothing = np.full(len(vectors), np.nan, np.float32)
    while not labels or max(labels) < len(loose):
        image = int(order(Known(nothing, view.novelty, None, spacing, labels), "max_prob", seed, asked)[0])
        asked[image], labels[image] = True, False
        view.answer(set(labels))
    return len(labels)


def test_crowds_are_found() -> None:
    """With spacing, a search reaches a tight cluster in far fewer questions than by distance alone."""
    found = {way: np.median([questions_until_the_crowd(way, seed) for seed in range(5)]) for way in (True, False)}
    assert found[True] < found[False] / 2


def test_spacing_is_small_in_a_crowd() -> None:
    """It is the distance to the nearest of a sample, never 0, unknown where an image is not embedded."""
    crowd = np.tile(RANDOM.standard_normal(8), (20, 1)) + 0.01 * RANDOM.standard_normal((20, 8))
    vectors = torch.from_numpy(np.concatenate([RANDOM.standard_normal((60, 8)), crowd]).astype(np.float32))
    view = ProjectedPool(Projection.from_vectors(vectors), 81)
    view.put(np.arange(80), vectors.numpy())
    spacing = view.spacing(np.arange(80))
    assert np.isnan(spacing[80]) and (spacing[:80] > 0).all()
    assert spacing[60:80].max() < spacing[:60].min()
    assert np.isnan(view.spacing(np.arange(3))).all()


@given(
    st.integers(0, 60).flatmap(
        lambda n: st.tuples(
            *[hnp.arrays(np.float32, n, elements=floats)] * 3,
            hnp.arrays(np.float32, n, elements=st.floats(float(np.float32(0.001)), 2, width=32)),
            hnp.arrays(np.bool_, n),
        )
    ),
    st.booleans(),
    st.integers(0, 60),
)
def test_every_image_once(
    arrays: tuple[Floats, Floats, Floats, Floats, np.ndarray[tuple[int], np.dtype[np.bool_]]],
    has_model: bool,
    answers: int,
) -> None:
    """Whatever is known, each image that is not left out is asked once, and the order is the same at every call."""
    probability, novelty, prior, spacing, leave_out = arrays
    labels = dict.fromkeys(range(min(answers, len(novelty))), False)
    known = Known(np.minimum(probability, 1) if has_model else novelty * np.nan, novelty, prior, spacing, labels)
    images = order(known, "max_prob", 0, leave_out)
    assert sorted(images.tolist()) == np.flatnonzero(~leave_out).tolist()
    assert images.tolist() == order(known, "max_prob", 0, leave_out).tolist()
