"""Output that goes nowhere, and locales of another encoding: a command does its work all the same."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from backend.store.labels import Labels
from backend.store.schema import DATABASE
from config import ROOT
from tests.backend.store.test_labels import answer

LOST = "Standard output cannot be written ({}); what the command printed is lost.\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with one answer."""
    (tmp_path / "run").mkdir()
    labels = Labels(tmp_path / "run")
    labels.annotate_all([answer("a.png", "positive")]).result()
    labels.close()
    return tmp_path / "run"


def back_up(run: Path, to: Path, where: str) -> "subprocess.CompletedProcess[str]":
    """Back up a run in a shell that sends the output somewhere else."""
    command = shlex.join([sys.executable, "-m", "backend.backup", str(run), str(to)])
    return subprocess.run(["bash", "-c", f"{command} {where}"], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("where", "code", "sentence"),
    [
        (">/dev/full", 1, LOST.format("No space left on device")),
        (">&-", 1, LOST.format("it is closed")),
        ("2>/dev/full", 0, ""),
        ("2>&-", 0, ""),
        ("<&- >&- 2>&-", 1, ""),
        ("| exit 0", 0, ""),
    ],
)
def test_output_that_goes_nowhere(run: Path, tmp_path: Path, where: str, code: int, sentence: str) -> None:
    """The command does its work and says in one sentence what is lost; no output gets into a file of the run."""
    ended = back_up(run, tmp_path / "copy", where)
    assert (ended.returncode, ended.stderr) == (code, sentence)
    assert (tmp_path / "copy" / DATABASE).read_bytes().startswith(b"SQLite format 3")


def test_a_mistake_with_nobody_to_tell(run: Path, tmp_path: Path) -> None:
    """The exit code reports a mistake even if no stream can."""
    assert back_up(tmp_path / "no run", tmp_path / "copy", ">&- 2>&-").returncode == 2
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("locale", ["POSIX", "en_US.ISO-8859-1"])
def test_names_are_utf_8_in_every_locale(run: Path, tmp_path: Path, locale: str) -> None:
    """A file has the same name in every session, whatever the locale and Python's own settings say."""
    there = os.environ | {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "backend.backup", str(run), str(tmp_path / "Käthe 日本")]
    ended = subprocess.run(command, cwd=ROOT, env=there, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "Käthe 日本 is a copy" in ended.stdout.decode()


def test_names_that_are_not_utf_8_are_shown_escaped(run: Path, tmp_path: Path) -> None:
    """Commands can print a path in Latin-1."""
    there = os.environ | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "backend.backup", str(run), str(tmp_path) + os.fsdecode(b"/K\xe4the")]
    ended = subprocess.run(command, cwd=ROOT, env=there, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"K\\udce4the is a copy" in ended.stdout
    assert Path(os.fsdecode(os.fsencode(tmp_path) + b"/K\xe4the"), DATABASE).exists()
