"""What a random sample says about the images that were never asked."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from IA.statistics import audit
from IA.statistics.audit import Division, Sample, ScreeningState, expected_positives, wilson


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Any sample of a few images."""
    images = draw(st.integers(0, 60))
    drawn = draw(st.integers(0, images))
    return Sample(images, drawn, draw(st.integers(0, drawn)))


@given(samples())
def test_an_interval_holds_what_is_possible(sample: Sample) -> None:
    """An interval lies between the positives seen and all possible ones, and is a point once everything is sampled."""
    low, high = sample.interval()
    assert sample.fewest <= low <= high <= sample.most
    if sample.sampled == sample.images:
        assert low == high == sample.positives


@pytest.mark.parametrize("images, drawn, positives", [(9, 4, 0), (9, 4, 1), (9, 4, 3), (8, 8, 2), (9, 1, 1)])
def test_the_chance_is_that_of_all_possible_draws(images: int, drawn: int, positives: int) -> None:
    """The formula agrees with a count of all possible samples that have at most so many positives."""
    for count in range(positives, images - drawn + positives + 1):
        draws = [sum(image < count for image in chosen) for chosen in combinations(range(images), drawn)]
        expected = sum(hits <= positives for hits in draws) / len(draws)
        assert Sample(images, drawn, positives).chance_of_so_few(count) == pytest.approx(expected)


@pytest.mark.parametrize("images, drawn, count", [(2000, 40, 20), (2000, 400, 20), (500, 100, 150), (50, 20, 2)])
def test_intervals_cover_the_truth(images: int, drawn: int, count: int) -> None:
    """At least 95 % of all possible samples have an interval that holds the truth."""
    hits = np.random.default_rng(0).hypergeometric(count, images - count, drawn, 4000)
    inside = {
        k: low <= count <= high for k in set(hits.tolist()) for low, high in [Sample(images, drawn, k).interval()]
    }
    assert np.mean([inside[k] for k in hits.tolist()]) > 0.94


def test_the_rule_of_three() -> None:
    """No positive among 300 of very many images means at most 1 %, as the rule of three says."""
    assert Sample(10_000_000, 300, 0).at_most() / 10_000_000 == pytest.approx(0.00994, rel=0.01)


def test_nonsense_is_refused() -> None:
    """More positives than sampled images, or more sampled images than images, are refused."""
    for counts in [(10, 5, 6), (10, 11, 0), (10, 5, -1)]:
        with pytest.raises(ValueError, match="positives among"):
            Sample(*counts)


@given(samples(), st.integers(0, 30))
def test_recall_lies_between_what_can_be(sample: Sample, found: int) -> None:
    """Recall is 1 if everything was seen, and positives that nobody has seen remain to be found."""
    standing = ScreeningState(found, sample)
    low, high = standing.to_find()
    assert 0 <= low <= high <= sample.images - sample.sampled
    recall = standing.recall()
    if recall is not None:
        assert 0 <= recall[0] <= recall[1] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("left", [3, 8, 20])
def test_a_certificate_is_seldom_wrong(left: int) -> None:
    """With 60 found and too many left, a test after every answer certifies wrongly in at most 5 % of 400 runs."""
    random = np.random.default_rng(left)
    wrong = 0
    for _ in range(400):
        drawn = np.cumsum(random.permutation(np.arange(1000) < left + 4))
        first = next(n for n, hits in enumerate(drawn, 1) if ScreeningState(60, Sample(1000, n, int(hits))).certifies())
        wrong += (60 + drawn[first - 1]) / (60 + left + 4) < 0.95
    assert wrong <= 20


def test_nothing_is_certified_of_nothing() -> None:
    """There is no certificate before there is an image; there is one if all were sampled and none is positive."""
    assert not ScreeningState(0, Sample(0, 0, 0)).certifies()
    assert ScreeningState(0, Sample(5, 5, 0)).certifies()


def test_answers_to_a_certificate() -> None:
    """The forecast is exact if no positive comes, and 0 once there is a certificate."""
    standing = ScreeningState(100, Sample(1000, 20, 0))
    more = standing.answers_to_certificate()
    assert not ScreeningState(100, Sample(1000, 20 + more - 1, 0)).certifies()
    assert ScreeningState(100, Sample(1000, 20 + more, 0)).certifies()
    assert ScreeningState(100, Sample(1000, 20 + more, 0)).answers_to_certificate() == 0
    assert ScreeningState(0, Sample(10, 0, 0)).answers_to_certificate() == 10


@given(samples(), st.data())
def test_short_and_long_sums_agree(sample: Sample, data: st.DataObject) -> None:
    """The chance is the same whether Python or numpy adds it up."""
    count = data.draw(st.integers(sample.fewest, sample.most))
    with pytest.MonkeyPatch.context() as patched:
        short = sample.chance_of_so_few(count)
        patched.setattr(audit, "FEW", 0)
        assert sample.chance_of_so_few(count) == pytest.approx(short, abs=1e-12)


def test_a_large_sample() -> None:
    """Numbers as after weeks of work give nearly the normal distribution, and take no time."""
    low, high = Sample(200_000, 100_000, 30_000).interval()
    half = 1.96 * 200_000 * math.sqrt(0.3 * 0.7 / 100_000 * 0.5)
    assert low == pytest.approx(60_000 - half, abs=10)
    assert high == pytest.approx(60_000 + half, abs=10)
    assert Sample(1_000_000, 300, 0).at_least() == 0


@pytest.mark.parametrize("threshold", [0.2, 0.6])
def test_a_division_covers_the_truth(threshold: float) -> None:
    """If the model labelled the remaining images, both intervals hold the truth in 95 % of the samples."""
    random = np.random.default_rng(0)
    truth = random.random(600) < 0.1
    score = np.clip(0.2 + 0.5 * truth + 0.2 * random.standard_normal(600), 0, 1)
    above = score >= threshold
    precision = truth[above].mean()
    recall = (20 + (truth & above).sum()) / (20 + truth.sum())
    inside = np.zeros(2)
    for _ in range(300):
        drawn = random.permutation(600) < 90
        division = Division(
            20,
            *(
                Sample(int(part.sum()), int((drawn & part).sum()), int((drawn & part & truth).sum()))
                for part in (above, ~above)
            ),
        )
        for place, (told, true) in enumerate(((division.precision(), precision), (division.recall(), recall))):
            assert told is not None
            inside[place] += told[0] <= true <= told[1]
    assert (inside / 300 >= 0.94).all()


def test_nothing_to_divide() -> None:
    """There is no precision if nothing becomes positive, and no recall without any positive."""
    nothing = Division(0, Sample(0, 0, 0), Sample(5, 5, 0))
    assert (nothing.precision(), nothing.recall()) == (None, None)
    assert Division(3, Sample(0, 0, 0), Sample(5, 5, 1)).recall() == (0.75, 0.75)


def test_probabilities_that_are_right_are_confirmed() -> None:
    """The range holds the number of positives of these very probabilities, in at least 94 % of 500 simulations."""
    random = np.random.default_rng(0)
    probabilities = random.random(60) ** 3
    expected, low, high = expected_positives(probabilities)
    assert expected == pytest.approx(probabilities.sum())
    counts = (random.random((500, 60)) < probabilities).sum(axis=1)
    assert np.mean((low <= counts) & (counts <= high)) >= 0.94
    assert expected_positives(np.array([1.0, 0.0])) == (1.0, 1, 1)


def test_wilson() -> None:
    """The interval is that of the published formula, stays within 0 and 1, and is none without trials."""
    assert wilson(0, 0) == (None, None)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert [(wilson(0, trials)[0], wilson(trials, trials)[1]) for trials in range(1, 50)] == [(0.0, 1.0)] * 49
    assert wilson(50, 50) == pytest.approx((0.9287, 1.0), abs=1e-4)
