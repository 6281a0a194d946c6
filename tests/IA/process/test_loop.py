"""What loops share: turns that the machine refuses."""

import logging
import threading

import pytest

from IA.process.loop import take_turns


def test_a_refused_turn_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A step that the disk refuses is taken again at the next turn, and causes one warning while it fails."""
    outcomes: list[bool | OSError] = [OSError(28, "full"), OSError(28, "full"), True, False, OSError(5, "bad"), False]

    def step() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    take_turns([None] * 5, step, threading.Event())
    assert outcomes == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
