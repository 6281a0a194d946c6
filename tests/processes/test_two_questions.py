"""Two questions over one folder, as a person asks them: real processes, and run directories that nobody names."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from config import DEFAULT_NETWORK, ROOT
from IA.embedding.shared import PLACE
from IA.protocol import pickle_file
from IA.protocol.files import PREDICTIONS
from tests.processes.suite import START_S, Suite, free_port, running
from tests.serving import until

pytestmark = pytest.mark.processes

HATS = 8
SMALL = """

@register("small")
def _small(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
    from tests.conftest import tiny

    return tiny(pretrained)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project in another place, with no runs yet, and a network that is built in a moment as its default."""
    root = tmp_path / "clone"
    (root / "runs").mkdir(parents=True)
    config = (ROOT / "config.py").read_text()
    (root / "config.py").write_text(config.replace(f'"{DEFAULT_NETWORK}"', '"small"'))
    for folder in ("IA", "backend"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("reactcode", "tests"):
        (root / folder).symlink_to(ROOT / folder)
    with (root / "IA" / "networks.py").open("a") as file:
        file.write(SMALL)
    return root


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Thirty pictures, eight of them red."""
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(30):
        colour = np.array((200, 40, 40) if number < HATS else (40, 40, 200))
        pixels = colour + random.integers(-30, 30, (40, 60, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number:02d}.png")
    return folder


def exported(suite: Suite) -> list[str]:
    """What the export calls the answers."""
    tasks = suite.client.get("/api/export?format=label-studio").raise_for_status().json()
    return [task["annotations"][0]["result"][0]["value"]["choices"][0] for task in tasks]


def is_embedded(suite: Suite) -> bool:
    """Whether all images are."""
    try:
        return pickle_file.read(suite.run, PREDICTIONS).content.embedded == 30
    except (OSError, ValueError):
        return False


def test_a_second_question_leaves_the_first_one_alone(tmp_path: Path, clone: Path, photos: Path) -> None:
    """Twenty-four answers about hats stay what they are when shoes are asked for, and nothing is embedded again."""
    runs = clone / "runs"
    names = ["--positive", "hat", "--negative", "no hat"]
    with running(runs / "photos", photos, *names, clone=clone) as suite:
        until(lambda: is_embedded(suite), START_S)
        for image in range(24):
            suite.answer(image, "positive" if image < HATS else "negative")
        called = exported(suite)
        assert (called.count("hat"), called.count("no hat")) == (HATS, 24 - HATS)
        suite.ctrl_c()
    before = {path: path.stat().st_mtime_ns for path in (runs / PLACE).glob("*/*/vectors")}
    assert before
    with running(runs / "photos-shoe", photos, "--positive", "shoe", clone=clone) as suite:
        assert f"'shoe' is asked in {suite.run}" in suite.terminal()
        status = suite.status()
        assert (status["positives"], status["negatives"], status["left"]) == (0, 0, 30)
        assert exported(suite) == []
        until(lambda: is_embedded(suite), START_S)
        suite.answer(29, "positive")
        suite.ctrl_c()
    assert before == {path: path.stat().st_mtime_ns for path in (runs / PLACE).glob("*/*/vectors")}
    with running(runs / "photos", photos, "--no-ai", clone=clone) as suite:
        assert exported(suite).count("hat") == HATS
    swapped = ["--run", str(runs / "photos"), "--positive", "no hat", "--negative", "hat"]
    command = [sys.executable, "-m", "backend", "127.0.0.1", str(free_port()), str(photos), "--no-ai", *swapped]
    ended = subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "--run" in ended.stderr
    assert "--rename" in ended.stderr
    renaming = ["--positive", "cap", "--negative", "no cap", "--rename", "--run", str(runs / "photos")]
    with running(runs / "photos", photos, "--no-ai", *renaming, clone=clone) as suite:
        assert "From now on 'hat' is called 'cap', and 'no hat' is called 'no cap'." in suite.terminal()
        called = exported(suite)
        assert (called.count("cap"), called.count("no cap")) == (HATS, 24 - HATS)
