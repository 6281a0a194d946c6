"""The review of slips over HTTP: what is to be looked at again, and what becomes of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.records import Predictions
from tests.serving import Serving, serving, until

HELD_OUT = {"0.png": 0.03, "1.png": 0.95, "2.png": 0.3, "3.png": 0.05, "4.png": 0.9}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of seven images: 0 to 2 are positive, 3 and 4 negative, 5 is skipped, and 6 is open."""
    (tmp_path / "data").mkdir()
    for number in range(7):
        Image.new("RGB", (40, 30)).save(tmp_path / "data" / f"{number}.png")
    with serving(tmp_path / "run", tmp_path / "data") as server:
        until(lambda: not server.session.images.listing)
        for number, label in enumerate(["positive"] * 3 + ["negative"] * 2 + ["skipped"]):
            server.answer(number, label, source="key", client="me", shown_ms=400)
        pickle_file.publish(server.session.run, protocol.HELD_OUT, HELD_OUT)
        until(lambda: server.session.following.held_out)
        yield server


def slips(server: Serving, query: str = "") -> tuple[list[int], int]:
    """Numbers of the images that are told, and how many there are."""
    told = server.client.get(f"/api/slips{query}").raise_for_status().json()
    return [slip["image"] for slip in told["slips"]], told["total"]


def test_slips_are_told(server: Serving) -> None:
    """The most suspicious first, as many as asked for, each with all that a page says of it."""
    assert slips(server) == ([0, 4, 2], 3)
    assert slips(server, "?limit=1") == ([0], 3)
    assert slips(server, "?limit=0") == ([], 3)
    first = server.client.get("/api/slips").json()["slips"][0]
    expected = {"path": "0.png", "label": "positive", "source": "key", "client": "me", "shown_ms": 400}
    assert expected.items() <= first.items()
    assert (first["held_out"], first["why"]) == (0.03, "model")
    assert first["suspicion"] == pytest.approx(0.97)
    assert {"version", "time"} <= first.keys()


@pytest.mark.parametrize("query", ["?limit=-1", "?limit=1001", "?limit=x"])
def test_a_limit_that_makes_no_sense(server: Serving, query: str) -> None:
    """It is 422."""
    assert server.client.get(f"/api/slips{query}").status_code == 422


def test_what_was_settled_is_not_told_again(server: Serving) -> None:
    """Confirmed or changed, it is settled, until that is taken back."""
    server.answer(0, "positive", client="me", reviewed=True)
    server.answer(4, "positive", client="me", reviewed=True)
    assert slips(server) == ([2], 1)
    assert {"positives": 4, "negatives": 1}.items() <= server.client.get("/api/status").json().items()
    server.client.post("/api/undo", json={"client": "me"}).raise_for_status()
    assert slips(server) == ([4, 2], 2)


def test_an_answer_given_again_without_a_review(server: Serving) -> None:
    """It is doubted as before: nobody had been told to."""
    server.answer(0, "positive", client="me")
    assert slips(server) == ([0, 4, 2], 3)


def test_new_figures_change_what_is_told(server: Serving) -> None:
    """A new round of held-out probabilities counts at once, also where no answer has changed."""
    assert slips(server) == ([0, 4, 2], 3)
    pickle_file.publish(server.session.run, protocol.HELD_OUT, {"1.png": 0.1})
    until(lambda: server.session.following.held_out == {"1.png": 0.1})
    assert slips(server) == ([1], 1)


def test_a_file_that_is_gone(server: Serving) -> None:
    """What cannot be looked at is not asked."""
    (server.session.images.datadir / "0.png").unlink()
    until(lambda: server.session.images.is_gone(0))
    assert slips(server) == ([4, 2], 2)


def test_an_image_drawn_at_random(server: Serving) -> None:
    """The model's present opinion counts, for it has not learnt the answer; it stays drawn when it is changed."""
    server.session.auditing.set_share(1.0)
    asked: dict[str, Any] = server.client.get("/api/queue?count=1&client=me").json()["images"][0]
    assert asked["image"] == 6
    server.answer(6, "negative", client="me")
    assert server.session.labels.drawn == 1
    assert slips(server) == ([0, 4, 2], 3)
    probability, nobody = np.full(7, 0.99, np.float32), np.zeros(0, np.int32)
    checkpoint = {"generation": 1, "labels": 5, "threshold": 0.5, "metrics": {}}
    predictions = Predictions(probability, probability, nobody, 7, 5, checkpoint)
    pickle_file.publish(server.session.run, protocol.PREDICTIONS, predictions)
    until(lambda: server.session.following.predictions)
    assert slips(server) == ([6, 0, 4, 2], 4)
    server.answer(6, "positive", client="me", reviewed=True)
    assert slips(server) == ([0, 4, 2], 3)
    assert server.session.labels.drawn == 1
