"""Start from examples, and more like this, with all loops and a real network."""

import random
from pathlib import Path

import pytest

from backend.demo import draw_picture
from tests.processes.suite import running
from tests.serving import until

pytestmark = pytest.mark.processes

START_S = 120.0


def test_what_is_like_the_examples_comes_first(tmp_path: Path) -> None:
    """Of twenty-four pictures three have a star: with two other stars as examples they are asked first."""
    for folder in ("images", "examples"):
        (tmp_path / folder).mkdir()
    for number in range(24):
        draw_picture(number in {3, 11, 20}, random.Random(number)).save(tmp_path / f"images/{number:02d}.jpg")
    for number in range(2):
        draw_picture(True, random.Random(100 + number)).save(tmp_path / f"examples/{number}.jpg")
    options = ("--examples", str(tmp_path / "examples"), "--alike", "off")
    with running(tmp_path / "run", tmp_path / "images", *options) as suite:
        until(lambda: suite.status()["ranking"] is not None and suite.status()["embedding"]["percent"] == 100, START_S)  # type: ignore[index]
        asked = suite.client.get("/api/queue?count=3&client=me").json()["images"]
        assert asked[0]["image"] in {3, 11, 20}
        assert suite.status()["positives"] == 0
        other = next(image for image in range(24) if image not in {3, 11, 20})
        assert suite.answer(other, "negative")["negatives"] == 1
        until(lambda: suite.learnt() == 1, START_S)
        until(lambda: suite.all_run(), START_S)
        answer = suite.client.post("/api/like", json={"image": 3})
        assert answer.status_code == 200, answer.text
        assert answer.json()["images"] == 22
        first = suite.client.get("/api/queue?count=1&client=you").json()["images"][0]["image"]
        assert first not in {3, other}
