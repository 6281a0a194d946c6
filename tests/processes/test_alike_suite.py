"""Near duplicates with all loops and a real network: found, asked as one, answered together."""

import random
from pathlib import Path

import pytest

from backend.demo import draw_picture
from tests.processes.suite import running
from tests.serving import until

pytestmark = pytest.mark.processes

START_S = 120.0


def test_copies_are_found(tmp_path: Path) -> None:
    """Of twelve pictures four are the same, in other sizes and qualities: one question, four labels."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(12):
        shown = draw_picture(False, random.Random(0 if number < 4 else number))
        if number == 1:
            shown = shown.resize((shown.width * 2 // 3, shown.height * 2 // 3))
        shown.save(folder / f"{number}.jpg", quality=95 - 8 * number if number < 4 else 90)
    with running(tmp_path / "run", folder) as suite:
        until(lambda: suite.status()["alike"] == 3, START_S)
        asked = suite.client.get("/api/queue?count=12&client=me").json()["images"]
        assert len(asked) == 9
        [group] = [image for image in asked if image["alike"]]
        assert {group["path"], *(f"{n}.jpg" for n in range(4))} == {f"{n}.jpg" for n in range(4)}
        body = {"image": group["image"], "label": "positive", "alike": group["alike"], "client": "me"}
        assert suite.client.post("/api/annotations", json=body).json()["positives"] == 4
        other = next(image for image in asked if not image["alike"])
        assert suite.answer(other["image"], "negative")["left"] == 7
        until(lambda: suite.learnt() == 5, START_S)  # all five answers, the copies by the one that was learnt
