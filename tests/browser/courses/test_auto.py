"""AUTO under a bad network and a restless person."""

from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.benchmarks.browser import auto

pytestmark = pytest.mark.browser


def test_each_image_is_shown_as_long_as_the_speed_says(tmp_path: Path, playwright: Playwright) -> None:
    """No image times out that was seen for less than its time: not while pictures come late and the tab is hidden."""
    outcome = auto.measure(playwright, tmp_path, answers=40, speed=5, seed=0, delay_s=0.5)
    assert len(outcome.margins_s) >= 40
    assert outcome.hidden > 0
    assert outcome.violations == 0, f"the shortest margin was {min(outcome.margins_s):.3f} s"
