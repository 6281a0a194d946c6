"""Tiles of large photos with all loops and a real network."""

import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from backend.demo import draw_picture
from config import ROOT
from tests.processes.suite import free_port, running
from tests.serving import until

pytestmark = pytest.mark.processes

START_S = 120.0
STARS = {"1.jpg#3x2-c2-r1", "4.jpg#3x2-c3-r2", "6.jpg#3x2-c1-r2", "6.jpg#3x2-c1-r1"}


def test_tiles_are_asked_about_learnt_and_kept(tmp_path: Path) -> None:
    """Eight photos of six tiles, four of these with a star: found soon, and the run goes on with the same grid."""
    (tmp_path / "images").mkdir()
    for photo in range(8):
        canvas = Image.new("RGB", (3 * 320, 2 * 240))
        for place in range(6):
            column, row = place % 3, place // 3
            path = f"{photo}.jpg#3x2-c{column + 1}-r{row + 1}"
            part = draw_picture(path in STARS, random.Random(6 * photo + place)).resize((320, 240))
            canvas.paste(part, (320 * column, 240 * row))
        canvas.save(tmp_path / f"images/{photo}.jpg")
    with running(tmp_path / "run", tmp_path / "images", "--tile", "3x2", "--alike", "off") as suite:
        until(lambda: suite.status()["embedding"]["percent"] == 100, START_S)  # type: ignore[index]
        status = suite.status()
        assert (status["images"], status["photos"], status["tile"]) == (48, 8, "3x2")
        asked = found = 0
        while found < len(STARS):
            [image] = suite.client.get("/api/queue?count=1&client=me").json()["images"]
            photo, place = image["path"].split("#")
            assert image["source_image"] == photo
            assert place == "{columns}x{rows}-c{column}-r{row}".format(**image["tile"])
            is_star = image["path"] in STARS
            suite.answer(image["image"], "positive" if is_star else "negative")
            asked, found = asked + 1, found + is_star
            until(lambda: suite.learnt() == asked, START_S)  # noqa: B023
        assert asked < 36  # at random the last one comes after 39 on average
        version = image["version"]
        tile = suite.client.get(f"/api/images/{image['image']}?version={version}")
        source = suite.client.get(f"/api/images/{image['image']}?version={version}&whole=true")
        assert (size_of(tmp_path, tile.content), size_of(tmp_path, source.content)) == ((320, 240), (960, 480))
    answers = pickle.loads((tmp_path / "run" / "annotations.pickle").read_bytes())
    assert {path for path, label in answers.items() if label} == STARS
    with running(tmp_path / "run", tmp_path / "images") as suite:
        until(lambda: not suite.status()["listing"])
        assert suite.status()["left"] == 48 - asked
    other = ["127.0.0.1", str(free_port()), str(tmp_path / "images"), "--run", str(tmp_path / "run"), "--tile", "2x2"]
    ended = subprocess.run(
        [sys.executable, "-m", "backend.supervisor", *other], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "asks about tiles of 3x2, not tiles of 2x2" in ended.stderr


def size_of(folder: Path, content: bytes) -> tuple[int, int]:
    """Width and height of a picture that was sent."""
    (folder / "sent").write_bytes(content)
    with Image.open(folder / "sent") as image:
        return image.size
