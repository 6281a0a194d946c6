"""The map by HTTP: points, clusters, asking first and answering by places, and what that does to the audit."""

import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from backend.map.points import NEGATIVE, NOWHERE, OPEN, POSITIVE, SKIPPED, UNKNOWN
from backend.session import answering
from backend.store import table
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.answers import read_learnable
from IA.protocol.files import LAYOUT, PREDICTIONS, RANKING
from IA.protocol.records import Predictions, Ranking
from IA.protocol.shown import Layout
from tests.serving import Serving, serving, small_pictures, until

IMAGES = 30
NAMES = ("x", "y", "answer", "probability", "prior", "cluster")


@pytest.fixture(autouse=True)
def from_the_first_answer_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws begin at once, unlike in a session."""
    monkeypatch.setattr("backend.session.auditing.AUDIT_FROM", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Thirty small pictures."""
    return small_pictures(tmp_path / "data", IMAGES)


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[Serving]:
    """A run without a map."""
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        yield server


def lay_out(server: Serving, x: "np.ndarray[Any, Any] | None" = None, method: str = "pca") -> None:
    """Publish a layout from left to right, and wait until the server has it."""
    places = np.linspace(-1, 1, IMAGES, dtype=np.float32) if x is None else x
    before = server.client.get("/api/map").json()["generation"]
    pickle_file.publish(server.session.run, LAYOUT, Layout(places.data, np.zeros(len(places), np.float32).data, method))
    until(lambda: server.client.get("/api/map").json()["generation"] != before)


def predict(server: Serving, probability: "np.ndarray[Any, Any]", prior: "np.ndarray[Any, Any] | None" = None) -> None:
    """Publish predictions, and wait until the server has them."""
    checkpoint = {"generation": 5, "labels": 2, "threshold": 0.5, "metrics": {}}
    empty, novelty = np.zeros(0, np.int32).data, np.zeros(len(probability), np.float32).data
    known = np.zeros(0, np.float32) if prior is None else prior
    content = Predictions(probability.data, novelty, empty, IMAGES, 2, checkpoint, prior=known.data)
    pickle_file.publish(server.session.run, PREDICTIONS, content)
    until(lambda: server.client.get("/api/status").json()["model"])


def points(server: Serving) -> "dict[str, np.ndarray[Any, Any]]":
    """The arrays of the map as a page reads them."""
    content = server.client.get("/api/map/points").content
    images = len(content) // 8
    kinds, arrays, start = ("<i2", "<i2", "u1", "u1", "u1", "u1"), {}, 0
    for name, kind in zip(NAMES, kinds, strict=True):
        arrays[name] = np.frombuffer(content, kind, images, start)
        start += arrays[name].nbytes
    assert start == len(content)
    return arrays


def answer_places(server: Serving, images: list[int], label: str = "negative", **more: object) -> httpx.Response:
    """Give one answer to these images on the map."""
    body = {"images": images, "label": label, "client": "me", "id": str(uuid.uuid4())} | more
    return server.client.post("/api/map/answers", json=body)


def asked(server: Serving, count: int = 1) -> list[int]:
    """What is asked next."""
    images = server.client.get(f"/api/queue?count={count}&client=me").json()["images"]
    return [each["image"] for each in images]


def draw(server: Serving, label: str = "positive") -> int:
    """Answer an image that was drawn at random; returns its number."""
    server.client.put("/api/audit", json={"share": 1})
    [image] = asked(server)
    server.answer(image, label, client="me")
    server.client.put("/api/audit", json={"share": 0})
    server.client.post("/api/queue/release", json={"client": "me"})
    return image


def sample(server: Serving) -> tuple[int, int]:
    """How many images the sample has, and how many the model may still ask for, the sample among them."""
    counted = server.session.queue.counted()
    return len(counted.sample.images), int(counted.remaining.sum())


def learnable(server: Serving, image: int) -> bool:
    """Whether the model may learn the answer to an image."""
    return server.session.images.path(image) in read_learnable(server.session.run)


# --- looking ----------------------------------------------------------------------------------------------------------


def test_without_a_layout_the_map_says_why(server: Serving) -> None:
    """Before there is a layout, one sentence says what the map waits for, and there are no points."""
    assert server.client.get("/api/map").json() == {
        "images": IMAGES,
        "placed": 0,
        "generation": None,
        "method": None,
        "clusters": [],
        "coming": "There is no map: inference, which computes it, is off in this session.",
    }
    assert server.client.get("/api/map/points").content == b""
    server.session.loops.now["inference"] = "down"
    assert "is down" in server.client.get("/api/map").json()["coming"]


def test_points_show_place_and_answer(server: Serving) -> None:
    """Each image has its place in whole numbers, and the answer that stands for it."""
    x = np.linspace(-1, 1, IMAGES, dtype=np.float32)
    x[3] = np.nan
    lay_out(server, x)
    for image, label in ((0, "positive"), (1, "negative"), (2, "skipped")):
        server.answer(image, label)
    found = points(server)
    assert (found["x"][0], found["x"][-1], found["x"][3], found["y"][3]) == (-32767, 32767, NOWHERE, NOWHERE)
    assert found["answer"][:4].tolist() == [POSITIVE, NEGATIVE, SKIPPED, OPEN]
    assert (found["cluster"] == UNKNOWN).tolist() == [image == 3 for image in range(IMAGES)]
    assert server.client.get("/api/status").json()["map"] == server.client.get("/api/map").json()["generation"]


def test_points_show_probability_and_prior_but_not_of_what_is_asked(server: Serving) -> None:
    """Probability and prior come in 254ths; those of an image in somebody's hands are not told, drawn or not."""
    lay_out(server)
    predict(server, np.linspace(0, 1, IMAGES, dtype=np.float32), np.linspace(-3, 9, IMAGES, dtype=np.float32))
    found = points(server)
    assert (found["probability"][0], found["probability"][-1]) == (0, 254)
    assert (found["prior"][0], found["prior"][-1]) == (0, 254)
    [image] = asked(server)
    found = points(server)
    assert (found["probability"][image], found["prior"][image]) == (UNKNOWN, UNKNOWN)
    assert (found["probability"] == UNKNOWN).sum() == 1


def test_points_that_have_not_changed_are_not_sent_again(server: Serving) -> None:
    """Whoever knows the points gets 304 until an answer changes one of them."""
    lay_out(server)
    tag = server.client.get("/api/map/points").headers["etag"]
    assert server.client.get("/api/map/points", headers={"if-none-match": tag}).status_code == 304
    server.answer(4)
    assert server.client.get("/api/map/points", headers={"if-none-match": tag}).status_code == 200


def test_clusters_are_counted(server: Serving) -> None:
    """Each image with a place is in one cluster, whose figures count the answers in it."""
    lay_out(server, np.where(np.arange(IMAGES) < 10, -0.9, 0.9).astype(np.float32))
    server.answer(0, "positive")
    server.answer(1, "negative")
    predict(server, np.where(np.arange(IMAGES) < 10, 0.25, np.nan).astype(np.float32))
    overview = server.client.get("/api/map").json()
    left, right = sorted(overview["clusters"], key=lambda cluster: float(cluster["x"]))
    assert (left["images"], left["positives"], left["negatives"], left["left"]) == (10, 1, 1, 8)
    assert left["probability"] == pytest.approx(0.25, abs=0.01)
    assert (right["images"], right["left"], right["probability"]) == (20, 20, None)
    assert len(left["representatives"]) == 3
    assert set(left["representatives"]) <= set(range(10))
    assert (overview["placed"], overview["coming"]) == (IMAGES, None)


def test_images_of_the_map_have_names(server: Serving) -> None:
    """Images are named in the order asked for, with the answer that the map shows; unknown numbers are left out."""
    server.answer(5, "negative")
    found = server.client.get("/api/map/images?image=5&image=999&image=2").json()["images"]
    assert [(each["path"], each["label"]) for each in found] == [("05.png", "negative"), ("02.png", None)]


def test_images_labelled_by_the_model_are_told_apart(server: Serving) -> None:
    """After a finish, images that the model has labelled are neither open nor answered by a person."""
    lay_out(server)
    predict(server, np.linspace(0, 1, IMAGES, dtype=np.float32))
    server.answer(0, "negative")
    body = {"threshold": 0.5, "checkpoint": 5, "id": str(uuid.uuid4()), "client": "me", "anyway": True}
    assert server.client.post("/api/finish", json=body).status_code == 202
    until(lambda: server.session.model_labels.standing)
    assert points(server)["answer"].tolist() == [NEGATIVE, *[5] * (IMAGES - 1)]


# --- asking first -----------------------------------------------------------------------------------------------------


def test_chosen_places_are_asked_next(server: Serving) -> None:
    """Of the chosen images those without an answer are asked first, the likeliest before the others."""
    predict(server, np.linspace(0, 1, IMAGES, dtype=np.float32))
    server.answer(7)
    answer = server.client.post("/api/map/first", json={"images": [5, 9, 7, 6, 9]})
    assert (answer.status_code, answer.json()) == (200, {"images": 3})
    assert asked(server, 3) == [9, 6, 5]
    assert server.client.get("/api/status").json()["asked_first"] == {"why": "map", "images": 3, "left": 3}


def test_places_that_are_all_answered_are_not_asked(server: Serving) -> None:
    """If no chosen image is open, one sentence says so."""
    server.answer(7)
    answer = server.client.post("/api/map/first", json={"images": [7, 999]})
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "All of these images are answered; choose others on the map.",
    )


# --- answering by places ----------------------------------------------------------------------------------------------


def test_one_answer_for_many_is_one_undo(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images without an answer get it, in chunks; one undo takes all of it back, and what stood before stands."""
    monkeypatch.setattr(answering, "CHUNK", 4)
    monkeypatch.setattr(table, "CHUNK", 4)
    server.answer(3, "positive")
    answer = answer_places(server, list(range(10)))
    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in ("stored", "kept", "positives", "negatives", "left")} == {
        "stored": 9,
        "kept": 1,
        "positives": 1,
        "negatives": 9,
        "left": IMAGES - 10,
    }
    listed = server.client.get("/api/annotations?source=map").json()
    assert listed["total"] == 9
    undone = server.client.post("/api/undo", json={"client": "me"}).json()
    assert (undone["taken"], len(undone["images"])) == (9, 4)
    status = server.client.get("/api/status").json()
    assert (status["positives"], status["negatives"], status["left"]) == (1, 0, IMAGES - 1)
    assert asked(server) != []


def test_undo_takes_a_map_answer_back_whole(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that came between the chunks of a map answer neither splits it nor is taken back with it."""
    monkeypatch.setattr(answering, "CHUNK", 2)
    monkeypatch.setattr(table, "CHUNK", 2)
    id = str(uuid.uuid4())
    answer_places(server, [0, 1], id=id)
    server.answer(20, "positive", client="me")
    answer_places(server, [0, 1, 2, 3], id=id)
    assert server.client.post("/api/undo", json={"client": "me"}).json()["taken"] == 4
    assert server.client.post("/api/undo", json={"client": "me"}).json()["image"] == 20
    assert server.session.queue.left == IMAGES


def test_a_repeated_map_answer_is_one(server: Serving) -> None:
    """A page that sends its answer again, for it has heard of no success, stores nothing twice."""
    id = str(uuid.uuid4())
    first, second = (answer_places(server, [1, 2], id=id).json() for _ in range(2))
    assert (first["stored"], second["stored"], second["negatives"]) == (2, 2, 2)


def test_a_single_answer_with_the_source_map_is_one_undo(server: Serving) -> None:
    """An answer that says that it comes from the map, but belongs to no group, is taken back alone."""
    for image in (1, 2, 3):
        server.answer(image, "negative", client="me", source="map")
    assert server.client.post("/api/undo", json={"client": "me"}).json()["taken"] == 1
    assert server.session.queue.left == IMAGES - 2


def test_an_undo_after_a_restart_takes_all_of_it_back(tmp_path: Path, folder: Path) -> None:
    """The server remembers which answers were given together on the map."""
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES)
        answer_places(server, list(range(20)))
    with serving(tmp_path / "run", folder) as server:
        until(lambda: server.session.queue.left == IMAGES - 20)
        assert server.client.post("/api/undo", json={"client": "me"}).json()["taken"] == 20
        assert server.session.queue.left == IMAGES


# --- the audit --------------------------------------------------------------------------------------------------------


def test_the_map_does_not_show_what_was_drawn(server: Serving) -> None:
    """A drawn image looks as it did before its answer: nothing on the map tells whether it was drawn, or positive."""
    lay_out(server)
    predict(server, np.linspace(0, 1, IMAGES, dtype=np.float32))
    before = points(server)
    image = draw(server)
    after = points(server)
    assert all((before[name] == after[name]).all() for name in NAMES)
    assert sum(cluster["positives"] for cluster in server.client.get("/api/map").json()["clusters"]) == 0
    [named] = server.client.get(f"/api/map/images?image={image}").json()["images"]
    assert named["label"] is None


def test_a_map_answer_selects_what_was_drawn(server: Serving) -> None:
    """A drawn image among the chosen ones keeps its answer, leaves the sample, and may be learnt."""
    lay_out(server)
    image, other = draw(server), draw(server)
    assert sample(server) == (2, IMAGES)
    rest = [number for number in range(12) if number not in (image, other)]
    answer = answer_places(server, [*rest, image]).json()
    assert (answer["stored"], answer["kept"], answer["positives"]) == (len(rest), 1, 2)
    assert sample(server) == (1, IMAGES - len(rest) - 1)
    assert points(server)["answer"][image] == POSITIVE
    until(lambda: learnable(server, image))
    assert not learnable(server, other)


def test_an_undo_on_the_map_restores_the_sample(server: Serving) -> None:
    """With the answers taken back, a drawn image among them is in the sample again, and unknown to the model."""
    image = draw(server)
    before = sample(server)
    answer_places(server, [*[number for number in range(IMAGES) if number != image][:9], image])
    assert server.client.post("/api/undo", json={"client": "me"}).json()["taken"] == 9
    assert sample(server) == before
    until(lambda: server.session.images.path(image) in _audited(server) and not learnable(server, image))
    assert server.client.get("/api/annotations?limit=1").json()["total"] == 1


def test_asking_places_selects_what_was_drawn(server: Serving) -> None:
    """A drawn image among the images that are asked first leaves the sample on the way, as in the ranking."""
    order = np.arange(IMAGES, dtype=np.int32)
    pickle_file.publish(server.session.run, RANKING, Ranking(order, np.full(IMAGES, 0.5, np.float32), 2, "max_prob", 1))
    image = draw(server)
    chosen = [image, *(number for number in (10, 11, 12) if number != image)]
    assert server.client.post("/api/map/first", json={"images": chosen}).json() == {"images": len(chosen)}
    [first] = asked(server)
    assert first == chosen[1]
    assert sample(server)[0] == 1
    server.answer(first, "negative", client="me")
    assert sample(server)[0] == 0


def test_a_drawn_question_that_is_answered_on_the_map_is_no_draw(server: Serving) -> None:
    """An image that somebody is just being asked at random counts as the person's choice once the map answers it."""
    server.client.put("/api/audit", json={"share": 1})
    [image] = asked(server)
    assert answer_places(server, [image]).json()["stored"] == 1
    assert sample(server) == (0, IMAGES - 1)


def _audited(server: Serving) -> "dict[str, bool | None]":
    with (server.session.run / protocol.AUDIT.name).open("rb") as file:
        content: dict[str, bool | None] = pickle.load(file)
    return content
