"""Replaced files are noticed, and the last good version stays in force."""

import logging
import os
import threading
from pathlib import Path

import pytest

from IA.protocol import pickle_file, replacement, watching
from IA.protocol.files import ANNOTATIONS, IMAGES
from IA.protocol.watching import Latest


def test_the_last_good_version_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A torn file causes one warning, and the last good version stays in force until a good one comes."""
    latest = Latest(tmp_path, IMAGES)
    assert latest.version() is None
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg"])
    assert latest.content() == ["a.jpg"]
    replacement.replace(tmp_path / IMAGES.name, b"torn")
    with caplog.at_level(logging.WARNING):
        assert latest.content() == ["a.jpg"]
        assert latest.content() == ["a.jpg"]
    assert len(caplog.records) == 1
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg", "b.jpg"])
    assert latest.content() == ["a.jpg", "b.jpg"]


def test_what_could_not_be_read_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failed read causes one warning, and the file is read again as soon as the machine allows."""
    latest = Latest(tmp_path, IMAGES)
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg"])

    def exhausted(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", exhausted)
        assert latest.content() is None
        assert latest.content() is None
    assert latest.content() == ["a.jpg"]
    assert len(caplog.records) == 1


def test_changes_are_noticed(tmp_path: Path) -> None:
    """A watcher takes a turn at once and for each replacement, and none for other files or for reading."""
    stop = threading.Event()
    turns = threading.Semaphore(0)

    def watch() -> None:
        for _ in watching.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.05):
            turns.release()

    thread = threading.Thread(target=watch)
    thread.start()
    assert turns.acquire(timeout=10)
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg"])
    assert turns.acquire(timeout=10)
    while turns.acquire(timeout=0.3):
        pass  # creation and replacement may be two turns
    pickle_file.publish(tmp_path, ANNOTATIONS, {})
    pickle_file.read(tmp_path, IMAGES)
    assert not turns.acquire(timeout=0.3)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_changes_without_a_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a watch of the system, a regular look finds the change."""

    def exhausted(*_: object, **__: object) -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", exhausted)
    stop = threading.Event()
    turns = watching.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.01)
    next(turns)
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg"])
    next(turns)
    stop.set()
    assert next(turns, None) is None


def test_a_turn_is_taken_now_and_then(tmp_path: Path) -> None:
    """A turn comes even if nothing changes, so that what failed is tried again."""
    stop = threading.Event()
    turns = watching.changes(tmp_path, IMAGES.name, stop=stop, poll_s=0.01, again_s=0.01)
    for _ in range(3):
        next(turns)
    stop.set()
    assert next(turns, None) is None


@pytest.mark.parametrize("stays", [True, False])
def test_a_directory_that_was_replaced(tmp_path: Path, stays: bool) -> None:
    """A watcher that stays follows the new directory; a loop ends, so that it begins again there."""
    run, stop = tmp_path / "run", threading.Event()
    turns = watching.changes(run, IMAGES.name, stop=stop, poll_s=0.01, stays=stays)
    next(turns)
    run.rename(tmp_path / "away")
    run.mkdir()
    if not stays:
        assert next(turns, "ended") == "ended"
        return
    for names in (["a.jpg"], ["a.jpg", "b.jpg"]):
        pickle_file.publish(run, IMAGES, names)
        next(turns)
    stop.set()
    assert next(turns, None) is None
