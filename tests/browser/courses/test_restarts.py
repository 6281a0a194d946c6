"""Answers by real keys while the server is killed."""

from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.benchmarks.browser import restarts

pytestmark = pytest.mark.browser


def test_no_answer_is_lost_to_a_kill(tmp_path: Path, playwright: Playwright) -> None:
    """What was pressed while the server died again and again is stored, once, with its label, in order."""
    outcome = restarts.measure(playwright, tmp_path, answers=30, rate=5, kills=3, seed=1)
    assert len(outcome.given) == 30
    assert outcome.kills >= 2
    assert (outcome.lost, outcome.twice, outcome.out_of_order) == (0, 0, 0)
    assert [(answer.picture, answer.label) for answer in outcome.stored] == list(outcome.given)
