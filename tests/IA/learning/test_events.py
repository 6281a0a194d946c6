"""Event files for TensorBoard."""

import os
from pathlib import Path

import pytest

from IA.learning import events
from IA.learning.events import Events


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
    Events(directory).scalar("a/b", 1.0, 1)
    assert not directory.exists()
    assert caplog.records == []
