"""TensorBoard's curves of the audit, written by the server."""

import logging
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from backend.session import curves
from backend.session.curves import Curves, figures
from tests.serving import serving, until


def drawn(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of every point of every curve."""
    events = EventAccumulator(str(directory))
    events.Reload()
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_figures() -> None:
    """What is known stands under its name; what is not is left out."""
    audit: dict[str, Any] = {
        "to_find": {"low": 3, "high": 40},
        "certificate": {"answers": 120, "given": False},
        "recall": None,
        "model": {"precision": None, "recall": {"low": 0.5, "high": 0.75}},
    }
    assert figures(audit) == {
        "audit/to_find_low": 3,
        "audit/to_find_high": 40,
        "audit/certificate_answers": 120,
        "audit/model_recall_low": 0.5,
        "audit/model_recall_high": 0.75,
    }
    assert "audit/model_recall_low" not in figures({**audit, "model": None})


def test_only_what_changes_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A point for each figure that has changed, none before the first answer, and the last ones at the end."""
    monkeypatch.setattr(curves, "EVERY_S", 0.01)
    said = (0, {"a": 1.0, "b": 2.0})
    asked = 0

    def ask() -> tuple[int, dict[str, float]]:
        nonlocal asked
        asked += 1
        return said

    writer = Curves(tmp_path, ask)
    until(lambda: asked > 2)
    assert not list(tmp_path.iterdir())
    said = (7, {"a": 1.0, "b": 2.0})
    until(lambda: len(drawn(tmp_path)) == 2)
    said, asked = (9, {"a": 1.0, "b": 3.0}), 0
    until(lambda: asked > 2)
    monkeypatch.setattr(curves, "EVERY_S", 60)
    said = (11, {"a": 0.5, "b": 3.0})
    writer.close()
    assert drawn(tmp_path) == {"a": [(7, 1.0), (11, 0.5)], "b": [(7, 2.0), (9, 3.0)]}


def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """One warning, however often it fails; once it can be written, everything is there."""
    monkeypatch.setattr(curves, "EVERY_S", 0.01)
    directory = tmp_path / "tensorboard"
    directory.write_text("in the way")
    asked = 0

    def ask() -> tuple[int, dict[str, float]]:
        nonlocal asked
        asked += 1
        return 1, {"a": 1.0}

    with caplog.at_level(logging.WARNING, "backend.session.curves"):
        writer = Curves(directory, ask)
        until(lambda: asked > 3)
        directory.unlink()
        until(lambda: directory.is_dir() and drawn(directory))
        writer.close()
    assert drawn(directory) == {"a": [(1, 1.0)]}
    assert ["Nothing can be written for TensorBoard" in record.getMessage() for record in caplog.records] == [True]


def test_the_server_draws(tmp_path: Path) -> None:
    """After an answer and its end, the run has a curve of what is still to find."""
    (tmp_path / "data").mkdir()
    for number in range(3):
        Image.new("RGB", (40, 30)).save(tmp_path / "data" / f"{number}.png")
    with serving(tmp_path / "run", tmp_path / "data", tensorboard=True) as server:
        until(lambda: not server.session.images.listing)
        server.answer(0)
    found = drawn(tmp_path / "run" / "tensorboard" / "server")
    assert found["audit/to_find_low"] == [(1, 0.0)]
    assert found["audit/to_find_high"][-1][1] == 2.0
