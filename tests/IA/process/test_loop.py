"""What loops share: turns that the machine refuses, and event files."""

import logging
import os
import threading
from pathlib import Path

import pytest

from IA.process import events
from IA.process.events import Events
from IA.process.loop import take_turns


def test_a_refused_turn_is_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A step that the disk refuses is taken again at the next turn; while it fails there is one warning."""
    outcomes: list[bool | OSError] = [OSError(28, "full"), OSError(28, "full"), True, False, OSError(5, "bad"), False]

    def step() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    take_turns([None] * 5, step, threading.Event())
    assert outcomes == []
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


def test_events_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where no event file can be made that is one warning, and figures go into one as soon as it can."""
    monkeypatch.setattr(events, "AGAIN_S", 0.0)
    (tmp_path / "taken").touch()
    refused = Events(tmp_path / "taken")
    for step in range(3):
        refused.scalar("a/b", 1.0, step)
    assert len(caplog.records) == 1
    (tmp_path / "taken").unlink()
    refused.scalar("a/b", 1.0, 3)
    [file] = (tmp_path / "taken").iterdir()
    size = file.stat().st_size
    refused.scalar("a/b", 1.0, 4)
    assert file.stat().st_size > size
    refused.close()
    refused.close()


def test_no_events_where_tensorboard_cannot_write(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A directory whose name is no UTF-8 gets none, without a word: the session has said so."""
    directory = tmp_path / os.fsdecode(b"r\xe4n")
    events.Events(directory).scalar("a/b", 1.0, 1)
    assert not directory.exists()
    assert caplog.records == []
