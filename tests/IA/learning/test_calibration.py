"""Calibration: probabilities that come true as often as they say."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from IA.learning.calibration import (
    WINDOW,
    Prequential,
    Remaining,
    along,
    blended,
    expected_calibration_error,
    line,
    platt,
)


def test_without_answers_the_score_stands() -> None:
    """Without answers the scale is 1 and the offset 0."""
    assert platt(torch.zeros(0), torch.zeros(0, dtype=torch.bool)) == pytest.approx((1, 0), abs=1e-6)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.4, -1.5), (2.0, 1.0)])
def test_finds_scale_and_offset(scale: float, offset: float) -> None:
    """From many answers that were sampled with a known scale and offset, these are estimated."""
    random = torch.Generator().manual_seed(3)
    scores = 3 * torch.randn(20_000, generator=random)
    labels = torch.rand(20_000, generator=random) < torch.sigmoid(scale * scores + offset)
    assert platt(scores, labels) == pytest.approx((scale, offset), abs=0.1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.booleans()), max_size=40))
def test_any_answers_leave_the_order(answers: list[tuple[float, bool]]) -> None:
    """Whatever the answers, the scale is positive, and scale and offset are finite."""
    scores, labels = torch.tensor([score for score, _ in answers]), torch.tensor([label for _, label in answers])
    scale, offset = platt(scores, labels.bool())
    assert scale > 0
    assert math.isfinite(scale) and math.isfinite(offset)


def test_expected_calibration_error() -> None:
    """The error is the mean distance between predicted and true frequency, bin by bin."""
    predicted = torch.tensor([0.95, 0.95, 0.05, 0.05])
    assert expected_calibration_error(predicted, torch.tensor([True, True, False, False])) == pytest.approx(0.05)
    assert expected_calibration_error(predicted, torch.tensor([True, False, False, True])) == pytest.approx(0.45)
    assert math.isnan(expected_calibration_error(predicted[:0], torch.zeros(0, dtype=torch.bool)))


def test_an_overconfident_model_is_corrected() -> None:
    """A model that predicts 0.98 and is right every other time gets lower probabilities after some answers."""
    asked: Prequential[int] = Prequential()
    labels = {number: number % 2 == 0 for number in range(40)}
    for number in labels:
        asked.ask(number, 4.0, 0.98)
    curve = asked.calibration(labels)
    assert float(torch.sigmoid(along(curve, torch.tensor([4.0])))) == pytest.approx(0.5, abs=0.1)
    assert asked.figures(labels) == pytest.approx({"prequential_accuracy": 0.5, "prequential_ece": 0.48})


def test_only_the_last_answers_count_and_only_those_that_stand() -> None:
    """Calibration follows the newest answers; a changed label counts as changed, one taken back does not count."""
    asked: Prequential[int] = Prequential()
    for number in range(WINDOW + 50):
        asked.ask(number, -3.0, 0.05)
    old_positives = {number: number < 50 for number in range(WINDOW + 50)}
    assert asked.figures(old_positives)["prequential_accuracy"] == 1
    assert asked.figures({0: False, 1: True})["prequential_accuracy"] == 0.5
    assert asked.figures({}) == {}


def test_a_line_is_platt_scaling() -> None:
    """Two points make a straight line, which goes on beyond them."""
    scores = torch.tensor([-7.0, 0.0, 0.5, 9.0])
    assert torch.allclose(along(line(1.7, -0.4), scores), 1.7 * scores - 0.4, atol=1e-5)


def test_a_curve_goes_through_its_points() -> None:
    """The curve is straight between two points, and goes on straight beyond the last ones."""
    curve = torch.tensor([[0.0, -3.0], [1.0, -1.0], [3.0, 0.0]])
    scores = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0])
    assert torch.allclose(along(curve, scores), torch.tensor([-5.0, -3.0, -2.0, -1.0, -0.5, 0.0, 1.0]), atol=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.floats(-30, 30, width=32), min_size=2, max_size=300),
    st.floats(1, 1e4),
    st.tuples(st.floats(0.05, 3), st.floats(-9, 9)),
    st.tuples(st.floats(0.05, 3), st.floats(-9, 9)),
    st.integers(0, 500),
)
def test_whatever_remains_leaves_the_order(
    scores: list[float], weight: float, top: tuple[float, float], deep: tuple[float, float], found: int
) -> None:
    """The curve is finite, and rises from each of its points to the next."""
    curve = blended(top, deep, Remaining(torch.tensor(scores), weight), found)
    assert curve.isfinite().all() and len(curve) >= 2
    assert (curve.diff(dim=0) > 0)[:, 0].all() and (curve.diff(dim=0) >= 0)[:, 1].all()


def test_the_last_answers_hold_at_the_top_and_the_others_deep_down() -> None:
    """The best remaining images follow the last answers, and most of the others follow all evidence."""
    scores = torch.linspace(-2, 2, 4000)
    curve = blended((1.0, 1.0), (3.0, -6.0), Remaining(scores, 1.0), found=20)
    logits = along(curve, scores)
    assert float(logits[-1]) == pytest.approx(3.0, abs=0.05)
    assert torch.allclose(logits[:3000], 3 * scores[:3000] - 6, atol=0.1)


@pytest.mark.parametrize("share", [1.0, 0.05])
def test_while_every_question_is_a_positive_not_everything_becomes_one(share: float) -> None:
    """After forty positives in a row, few of thousands of images that look different are expected to be positive.

    A sample of the remaining images predicts nearly the same as all of them.
    """
    random = torch.Generator().manual_seed(2)
    bulk = torch.cat([torch.randn(4000, generator=random) * 0.3 - 1.2, torch.rand(40, generator=random) * 2 + 0.5])
    asked: Prequential[int] = Prequential()
    labels = {number: number >= 5 for number in range(45)}
    for number in labels:
        asked.ask(number, 2.5 - number / 50, 0.9)
    sampled = torch.rand(len(bulk), generator=random) < share
    curve = asked.calibration(labels, Remaining(bulk[sampled], 1 / share))
    probability = torch.sigmoid(along(curve, bulk))
    assert float(torch.sigmoid(along(asked.calibration(labels), bulk)).sum()) > 400  # by the last answers alone
    assert 15 < float(probability.sum()) < 90
    assert float(probability[:4000].mean()) < 0.015
    assert float(torch.sigmoid(along(curve, torch.tensor([2.45])))) > 0.85
