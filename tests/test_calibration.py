"""Calibration: probabilities that come true as often as they say."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from IA.calibration import WINDOW, Prequential, expected_calibration_error, platt


def test_without_answers_the_score_stands() -> None:
    """No answers leave scale 1 and offset 0."""
    assert platt(torch.zeros(0), torch.zeros(0, dtype=torch.bool)) == pytest.approx((1, 0), abs=1e-6)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (0.4, -1.5), (2.0, 1.0)])
def test_finds_scale_and_offset(scale: float, offset: float) -> None:
    """From many answers drawn by a known scale and offset, these come out."""
    random = torch.Generator().manual_seed(3)
    scores = 3 * torch.randn(20_000, generator=random)
    labels = torch.rand(20_000, generator=random) < torch.sigmoid(scale * scores + offset)
    assert platt(scores, labels) == pytest.approx((scale, offset), abs=0.1)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.booleans()), max_size=40))
def test_any_answers_leave_the_order(answers: list[tuple[float, bool]]) -> None:
    """Whatever is answered, the scale is positive and both are finite."""
    scores, labels = torch.tensor([score for score, _ in answers]), torch.tensor([label for _, label in answers])
    scale, offset = platt(scores, labels.bool())
    assert scale > 0
    assert math.isfinite(scale) and math.isfinite(offset)


def test_expected_calibration_error() -> None:
    """The error is the mean distance of what was said and what came true, bin by bin."""
    said = torch.tensor([0.95, 0.95, 0.05, 0.05])
    assert expected_calibration_error(said, torch.tensor([True, True, False, False])) == pytest.approx(0.05)
    assert expected_calibration_error(said, torch.tensor([True, False, False, True])) == pytest.approx(0.45)
    assert math.isnan(expected_calibration_error(said[:0], torch.zeros(0, dtype=torch.bool)))


def test_an_overconfident_model_is_corrected() -> None:
    """A model that says 0.98 and is right every other time is believed less after some answers."""
    asked: Prequential[int] = Prequential()
    labels = {number: number % 2 == 0 for number in range(40)}
    for number in labels:
        asked.ask(number, 4.0, 0.98)
    scale, offset = asked.calibration(labels)
    assert 1 / (1 + math.exp(-(4 * scale + offset))) == pytest.approx(0.5, abs=0.1)
    assert asked.figures(labels) == pytest.approx({"prequential_accuracy": 0.5, "prequential_ece": 0.48})


def test_only_the_last_answers_count_and_only_those_that_stand() -> None:
    """Calibration follows the newest answers, a label changed counts as changed, one taken back not at all."""
    asked: Prequential[int] = Prequential()
    for number in range(WINDOW + 50):
        asked.ask(number, -3.0, 0.05)
    old_positives = {number: number < 50 for number in range(WINDOW + 50)}
    assert asked.figures(old_positives)["prequential_accuracy"] == 1
    assert asked.figures({0: False, 1: True})["prequential_accuracy"] == 0.5
    assert asked.figures({}) == {}
