"""A file is there as a whole, the old one or the new one, and nothing else stays behind."""

import os
from pathlib import Path

import pytest

from IA.protocol import pickle_file, replacement
from IA.protocol.files import IMAGES, RANKING


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails leaves the old version in place and no temporary behind."""
    pickle_file.publish(tmp_path, IMAGES, ["a.jpg"])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        pickle_file.publish(tmp_path, IMAGES, ["b.jpg"])
    assert pickle_file.read(tmp_path, IMAGES).content == ["a.jpg"]
    assert [path.name for path in tmp_path.iterdir()] == [IMAGES.name]


def test_leftovers_are_swept(tmp_path: Path) -> None:
    """Temporaries of a dead writer go; those of other files stay."""
    (tmp_path / ".ranking.pickle.1234.tmp").touch()
    (tmp_path / ".images.pickle.1234.tmp").touch()
    replacement.sweep(tmp_path, RANKING.name)
    assert [path.name for path in tmp_path.iterdir()] == [".images.pickle.1234.tmp"]
