"""Stopping rules, by hand and by counting, and how often a certificate is wrong."""

import math
from functools import cache

import numpy as np
import pytest

from IA.simulate.stopping import chance_of_a_wrong_certificate, negatives_in_a_row, quantile_bound, quasi_sampling
from IA.statistics.audit import Sample, ScreeningState


@pytest.mark.parametrize(
    ("labels", "answers"), [("--+--+---+-", 9), ("----", 4), ("+---", 4), ("---+", 4), ("+-+-", 4), ("", 0)]
)
def test_negatives_in_a_row(labels: str, answers: int) -> None:
    """Negatives count from the first positive on; if so many never come in a row, all images are answered."""
    assert negatives_in_a_row([label == "+" for label in labels], 3) == answers


def test_quasi_sampling() -> None:
    """A perfect order is believed after some negatives, an order in which positives never end is not."""
    perfect = np.arange(1000) < 60
    assert 500 < quasi_sampling(perfect.tolist()) < 600  # half of the others exclude four more
    assert quasi_sampling([True, False] * 100) == 200
    assert quasi_sampling([False] * 50) == 50


def test_the_bound_by_quantile_holds() -> None:
    """At least 95 % of 400 runs find 95 % of the positives; with too few positives for the sample, all is answered."""
    random = np.random.default_rng(0)
    truth = np.arange(600) < 150
    asked = [*range(0, 150, 2), *range(200, 300), *range(1, 150, 2)]
    stops = [quantile_bound(asked, truth, random.permutation(600).tolist()) for _ in range(400)]
    assert np.mean([found >= 0.95 * 150 for _, found in stops]) >= 0.95
    assert all(found <= answers <= 600 for answers, found in stops)
    assert quantile_bound(asked, np.arange(600) < 58, list(range(600))) == (600, 58)


def test_the_chance_of_a_wrong_certificate_is_what_is_counted() -> None:
    """The exact chance equals the share in 3,000 runs, within the error of such a count."""
    random = np.random.default_rng(1)
    found, images, positives = 40, 120, 6
    is_given = cache(lambda drawn, hits: ScreeningState(found, Sample(images, drawn, hits)).certifies_once())
    wrong = 0
    for _ in range(3000):
        hits = np.cumsum(random.permutation(np.arange(images) < positives)).tolist()
        first = next(drawn for drawn in range(1, images + 1) if is_given(drawn, hits[drawn - 1]))
        wrong += found + hits[first - 1] < 0.95 * (found + positives)
    expected = chance_of_a_wrong_certificate(found, images, positives, ScreeningState.certifies_once)
    assert wrong / 3000 == pytest.approx(expected, abs=4 * math.sqrt(expected / 3000))


@pytest.mark.parametrize("images", [300, 3000, 300_000])
@pytest.mark.parametrize("found", [20, 60, 200, 500, 1000, 3000])
def test_a_certificate_is_seldom_wrong_at_worst(found: int, images: int) -> None:
    """The chance holds for any number found and any number of remaining images; without the correction it is higher.

    Nor is it stricter than it must be: where it can be wrong at all, it uses up most of what it may.
    """
    may_be_left = math.floor(found / 0.95) - found
    left = [math.ceil(factor * may_be_left) + 1 for factor in (1.0, 1.05, 1.1, 1.15)]
    assert max(chance_of_a_wrong_certificate(found, images, each) for each in left) <= 0.05
    once = (chance_of_a_wrong_certificate(found, images, each, ScreeningState.certifies_once) for each in left)
    assert max(once) > 0.05
    if images > 10 * may_be_left:
        assert max(chance_of_a_wrong_certificate(found, images, each) for each in left) > 0.04


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("recall", [0.5, 0.8, 0.99])
def test_other_certificates_are_seldom_wrong_at_worst(recall: float, confidence: float) -> None:
    """The chance holds for any recall and confidence: only the number of positives that may be left counts."""
    for may_be_left in (1, 3, 10, 50, 200):
        found = math.ceil(may_be_left * recall / (1 - recall))
        left = math.floor(found / recall) - found + 1
        chance = chance_of_a_wrong_certificate(found, 3000, left, lambda at: at.certifies(recall, confidence), recall)
        assert chance <= 1 - confidence
