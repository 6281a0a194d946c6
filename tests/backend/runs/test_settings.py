"""The settings that a session starts with."""

from dataclasses import replace
from pathlib import Path

import pytest

from backend.runs.checks import check_run
from backend.runs.settings import settle
from config import Config, UsageError
from IA.images.tiles import Grid
from IA.protocol import pickle_file
from IA.protocol.files import IMAGES, SETTINGS
from IA.text.settings import settings_of


def test_the_grid_stays_that_of_the_images(tmp_path: Path) -> None:
    """It is kept with the run, also when the settings are torn: else all that was answered would be gone."""
    config = Config(run=tmp_path, datadir=tmp_path, tile="3x2")
    pickle_file.publish(tmp_path, SETTINGS, settle(config))
    pickle_file.publish(tmp_path, IMAGES, list(Grid(3, 2).paths("a.jpg")))
    again = Config(run=tmp_path, datadir=tmp_path)
    assert settle(again).tile == "3x2"
    (tmp_path / SETTINGS.name).write_bytes(b"torn")
    assert settle(again).tile == "3x2"
    (tmp_path / SETTINGS.name).unlink()
    assert settle(again).tile == "3x2"


def test_how_long_auto_waits_is_kept(tmp_path: Path) -> None:
    """Three minutes at first; then what was last asked for, `off` too."""
    for arguments, waits_s in (
        ([], 180),
        (["--auto-idle", "600"], 600),
        ([], 600),
        (["--auto-idle", "off"], 0),
        ([], 0),
    ):
        config = Config.for_session(["localhost", "8077", str(tmp_path), "--run", str(tmp_path), *arguments])
        settings = settle(config)
        assert settings.auto_idle == waits_s
        pickle_file.publish(tmp_path, SETTINGS, settings)


def test_a_new_default_changes_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run goes on with what it was told, and with what was true before a setting was there; a new run has the new."""
    old, kept, new = tmp_path / "old", tmp_path / "kept", tmp_path / "new"
    for run in (old, kept, new):
        run.mkdir()
    first = {"datadir": "/d", "network": "n", "strategy": "entropy", "positive": "a", "negative": "b", "id": "1d"}
    pickle_file.publish(old, pickle_file.PickleFile[dict[str, str]](SETTINGS.name, dict, dict), first)
    usual = settle(Config(run=kept, datadir=tmp_path))
    pickle_file.publish(kept, SETTINGS, usual)
    before = settle(Config(run=old, datadir=tmp_path))
    assert (before.finetune, before.audit, before.alike, before.auto_idle) == ("off", 0.0, "off", 180.0)
    assert (before.strategy, before.examples, before.tile, before.recall) == ("entropy", "", "", 0.95)
    for one, setting in settings_of(Config):
        if setting.is_kept:
            new_default = {"audit": 0.5, "auto_idle": 60.0}.get(one.name, f"new {one.name}")
            monkeypatch.setattr(one, "metadata", {"setting": replace(setting, initial=new_default)})
    assert settle(Config(run=old, datadir=tmp_path)) == before
    assert settle(Config(run=kept, datadir=tmp_path)) == usual
    begun = settle(Config(run=new, datadir=tmp_path))
    assert (begun.audit, begun.auto_idle, begun.finetune, begun.network) == (0.5, 60.0, "new finetune", "new network")


@pytest.mark.parametrize(("before", "words"), [("3x2", "tiles of 3x2, not tiles of 2x2"), (None, "whole images, not")])
def test_a_run_keeps_its_grid(tmp_path: Path, before: str | None, words: str) -> None:
    """Another one is refused with what to do; the same, or none, goes on."""
    run, datadir = tmp_path / "run", tmp_path / "data"
    run.mkdir()
    datadir.mkdir()
    pickle_file.publish(run, SETTINGS, settle(Config(run=run, datadir=datadir, tile=before)))
    check_run(Config(run=run, datadir=datadir))
    check_run(Config(run=run, datadir=datadir, tile=before))
    with pytest.raises(UsageError, match=words):
        check_run(Config(run=run, datadir=datadir, tile="2x2"))
