"""What the server tells of why the model thinks so, over real HTTP; and what it never tells."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.questions import explanations
from backend.questions.queue import Queue
from IA.duplicates.groups import ImageState
from IA.protocol import pickle_file
from IA.protocol.files import EXPLANATIONS, RANKING
from IA.protocol.records import Ranking
from IA.protocol.shown import Explanations
from tests.serving import Serving, serving, until

IMAGES = 8
NOTHING = "There is no explanation of this image; they are made for the next 24 images."


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """A server of eight pictures; 6 is positive, 7 negative."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (8, 6), (20 * number, 0, 0)).save(folder / f"{number}.png")
    with serving(tmp_path / "run", folder) as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        server.answer(6, "positive")
        server.answer(7, "negative")
        yield server


def publish(server: Serving, *images: int, checkpoint: int = 3) -> None:
    """Explain these images: a map of two places each, the answers 6 and 7 beside them; wait for the server."""
    content = Explanations(
        checkpoint,
        np.array(images, np.int32),
        np.array([1, 2] * len(images), np.int32),
        np.array([127, -64] * len(images), np.int8),
        np.array([6, -1, -1, 7, -1, -1] * len(images), np.int32),
        np.array([0.75, 0, 0, 0.25, 0, 0] * len(images), np.float32),
    )
    pickle_file.publish(server.session.run, EXPLANATIONS, content)

    def is_taken() -> bool:
        explained = server.session.explanations.of(images[-1])
        return explained is not None and explained.checkpoint == checkpoint

    until(is_taken)


def told(server: Serving, image: int) -> dict[str, Any] | None:
    """The explanation of an image; None where the server says that there is none."""
    response = server.client.get(f"/api/explanation/{image}")
    if response.status_code == 404:
        assert response.json() == {"detail": NOTHING}
        return None
    content: dict[str, Any] = response.raise_for_status().json()
    return content


def test_an_explanation(server: Serving) -> None:
    """A map and the nearest answers of either kind, each with what a page needs to show it."""
    assert told(server, 2) is None
    publish(server, 2, 3)
    explained = told(server, 2)
    assert explained is not None
    assert explained["map"] == {"height": 1, "width": 2, "values": [1, -0.5]}
    assert (explained["image"], explained["checkpoint"]) == (2, 3)
    version = server.session.images.version(6)
    near = {"image": 6, "path": "6.png", "version": version, "similarity": 0.75, "label": "positive"}
    assert explained["positive"] == [near | {"source_image": "6.png", "tile": None}]
    assert [other["image"] for other in explained["negative"]] == [7]
    assert told(server, 5) is None
    assert told(server, 999) is None
    assert server.client.get("/api/explanation/x").status_code == 422


def test_without_a_map(server: Serving) -> None:
    """Where the network does not tell where it looks the neighbours are told all the same."""
    nothing = np.array([], np.int8)
    shapes, similarity = np.array([0, 0], np.int32), np.zeros(6, np.float32)
    neighbours = np.array([6, -1, -1, -1, -1, -1], np.int32)
    content = Explanations(1, np.array([2], np.int32), shapes, nothing, neighbours, similarity)
    pickle_file.publish(server.session.run, EXPLANATIONS, content)
    until(lambda: server.session.explanations.of(2))
    explained = told(server, 2)
    assert explained is not None
    assert explained["map"] is None
    assert [other["image"] for other in explained["positive"]] == [6]


def test_what_the_ranking_left_behind_is_still_known(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Explanations stay when newer ones come, each the newest of its image; so many of them."""
    monkeypatch.setattr(explanations, "KEPT", 3)
    publish(server, 1, 2)
    publish(server, 2, 3, checkpoint=4)
    first, second = told(server, 1), told(server, 2)
    assert first is not None
    assert second is not None
    assert (first["checkpoint"], second["checkpoint"]) == (3, 4)
    publish(server, 4, checkpoint=5)
    assert told(server, 1) is None
    assert told(server, 2) is not None


def test_another_label_is_no_neighbour_of_that_kind(server: Serving) -> None:
    """An answer that was changed since is not shown among those that it was one of."""
    publish(server, 2)
    server.answer(6, "negative")
    explained = told(server, 2)
    assert explained is not None
    assert explained["positive"] == []


def test_another_file_has_no_explanation(server: Serving) -> None:
    """What was seen in a file that has been replaced is told no more."""
    publish(server, 2)
    assert told(server, 2) is not None
    Image.new("RGB", (9, 9)).save(server.session.images.datadir / "2.png")
    assert told(server, 2) is None


def test_nothing_is_told_of_what_was_drawn(server: Serving) -> None:
    """An image drawn at random is like one without an explanation: when asked, and when answered."""
    publish(server, *range(6))
    order = np.arange(6, dtype=np.int32)
    pickle_file.publish(server.session.run, RANKING, Ranking(order, np.full(6, 0.5, np.float32), 2, "max_prob", 3))
    until(lambda: server.session.following.ranking)
    server.session.queue.share = 1.0
    [asked] = server.client.get("/api/queue?count=1&client=me").json()["images"]
    assert server.session.queue.question(asked["image"], "me").is_sampled
    assert told(server, asked["image"]) is None
    assert all(told(server, image) for image in range(6) if image != asked["image"])
    server.answer(asked["image"], "positive", client="me")
    assert server.session.labels.is_sampled(server.session.images.path(asked["image"]))
    assert told(server, asked["image"]) is None


def test_what_was_drawn_is_no_neighbour(server: Serving) -> None:
    """Not even where inference has learnt it before, and it was taken back and drawn since."""
    publish(server, 2)
    server.session.queue.answer(6, "positive", is_sampled=True)
    explained = told(server, 2)
    assert explained is not None
    assert explained["positive"] == []
    assert [other["image"] for other in explained["negative"]] == [7]


def test_apart_until_it_is_asked_by_the_model() -> None:
    """A draw that is over leaves nothing behind."""
    queue = Queue(0, share=1.0, toss=random.Random(0).random)
    queue.mark(0, ImageState.GONE, False)
    [(image, probability)] = queue.next("a", 1)
    assert probability is None
    assert queue.is_apart(image)
    queue.answer(image, "negative", is_sampled=True)
    assert queue.is_apart(image)
    queue.share = 0.0
    queue.answer(image, None)
    queue.hold(image, "a")
    assert not queue.is_apart(image)
