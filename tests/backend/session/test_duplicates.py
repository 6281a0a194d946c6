"""Near duplicates over HTTP: answered together, taken back together, split, corrected, counted once."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from IA.protocol import pickle_file
from IA.protocol.files import DUPLICATES
from IA.protocol.records import Duplicates
from tests.serving import Serving, serving, until

IMAGES = 8
GROUP = [1, 2, 5, 6]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight pictures."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(folder / f"{number}.png")
    return folder


def publish(run: Path, group: list[int]) -> None:
    """Say that these images are near duplicates."""
    first = np.arange(IMAGES, dtype=np.int32)
    first[group] = group[0]
    pickle_file.publish(run, DUPLICATES, Duplicates(first.data))


@pytest.fixture
def server(tmp_path: Path, folder: Path) -> Iterator[Serving]:
    """A server that knows of four near duplicates."""
    run = tmp_path / "run"
    run.mkdir()
    publish(run, GROUP)
    with serving(run, folder) as server:
        until(lambda: server.session.queue.left == IMAGES and server.session.queue.states.copies == 3)
        yield server


def asked(server: Serving, client: str = "me") -> dict[int, list[int]]:
    """What is asked next, with the near duplicates of each."""
    images = server.client.get(f"/api/queue?count=20&client={client}").json()["images"]
    return {image["image"]: image["alike"] for image in images}


def question(server: Serving) -> tuple[int, list[int]]:
    """The question about the group."""
    [(image, alike)] = [entry for entry in asked(server).items() if entry[1]]
    return image, alike


def rows(server: Serving) -> dict[str, tuple[str, str]]:
    """Label and copy_of of each image in the export."""
    lines = csv.DictReader(server.client.get("/api/export").text.splitlines())
    return {line["path"]: (line["label"], line["copy_of"]) for line in lines}


def test_one_answer_for_all(server: Serving) -> None:
    """Four rows, one of them the image shown; one undo; counted once but for the counts of images."""
    image, alike = question(server)
    assert sorted([image, *alike]) == GROUP
    assert len(asked(server)) == IMAGES - 3
    assert not set(asked(server, "another")) & set(GROUP)
    told = server.answer(image, "positive", client="me", alike=alike).json()
    assert (told["alike"], told["positives"], told["left"]) == (alike, 4, 4)
    shown = f"{image}.png"
    assert rows(server) == {f"{n}.png": ("positive", "" if n == image else shown) for n in GROUP}
    figures = server.client.get("/api/statistics").json()
    assert (figures["answers"], figures["curve"]["positives"][-1]) == (1, 1)
    assert figures["audit"]["positives"] == {"low": 1, "high": 5}
    assert server.client.get("/api/status").json()["alike"] == 3
    undone = server.client.post("/api/undo", json={"client": "me"}).json()
    assert [entry["image"] for entry in undone["images"]] == [image]
    assert (undone["image"], sorted(undone["alike"])) == (image, sorted(alike))
    assert (rows(server), server.session.queue.left) == ({}, IMAGES)
    assert question(server) == (image, alike)


def test_the_same_request_again(server: Serving) -> None:
    """An answer with an id is stored once, its copies too, also in a batch."""
    image, alike = question(server)
    body = {"image": image, "label": "negative", "alike": alike, "client": "me", "id": "0" * 32}
    first = server.client.post("/api/annotations", json=body).json()
    assert server.client.post("/api/annotations", json=body).json() == first
    batch = server.client.post("/api/annotations/batch", json={"annotations": [body, body]}).json()
    assert [entry["alike"] for entry in batch["results"]] == [alike, alike]
    assert batch["negatives"] == 4
    server.client.post("/api/undo", json={"client": "me"})
    assert rows(server) == {}


def test_only_what_is_open_and_alike(server: Serving) -> None:
    """Somebody else's answer stands, and what is no near duplicate gets none; nor does what was not named."""
    image, alike = question(server)
    server.answer(alike[0], "positive", client="another")
    told = server.answer(image, "negative", client="me", alike=[0, 77, image, *alike[:2]]).json()
    assert told["alike"] == [alike[1]]
    assert {path: label for path, (label, _) in rows(server).items()} == {
        f"{alike[0]}.png": "positive",
        f"{image}.png": "negative",
        f"{alike[1]}.png": "negative",
    }
    assert asked(server)[alike[2]] == []
    assert server.client.get("/api/statistics").json()["answers"] == 1


def test_a_correction_is_for_all_of_them(server: Serving) -> None:
    """Answered anew with its copies, these follow, but not one that was corrected singly; undo brings back each."""
    image, alike = question(server)
    server.answer(image, "negative", client="me", alike=alike)
    server.answer(alike[0], "skipped", client="me")
    server.answer(image, "positive", client="me", alike=alike)
    labels = {path: label for path, (label, _) in rows(server).items()}
    assert labels == {f"{n}.png": "skipped" if n == alike[0] else "positive" for n in GROUP}
    server.client.post("/api/undo", json={"client": "me"})
    labels = {path: label for path, (label, _) in rows(server).items()}
    assert labels == {f"{n}.png": "skipped" if n == alike[0] else "negative" for n in GROUP}


def test_in_a_grid(server: Serving) -> None:
    """One undo takes back a grid with all its copies."""
    image, alike = question(server)
    group = "1" * 32
    given = [{"image": 0, "label": "negative"}, {"image": image, "label": "positive", "alike": alike}]
    body = {"annotations": [{**entry, "group": group, "client": "me"} for entry in given]}
    assert server.client.post("/api/annotations/batch", json=body).json()["left"] == 3
    undone = server.client.post("/api/undo", json={"client": "me"}).json()
    assert [entry["image"] for entry in undone["images"]] == [0, image]
    assert server.session.queue.left == IMAGES


def test_split(server: Serving, tmp_path: Path, folder: Path) -> None:
    """They are asked one by one from then on, after a restart and with new copies too; nothing given is lost."""
    image, alike = question(server)
    server.answer(alike[0], "positive", client="another")
    told = server.client.post("/api/split", json={"image": image, "client": "me"}).json()
    assert (told["image"], sorted(told["alike"])) == (image, sorted(alike))
    assert all(not others for others in asked(server).values())
    assert set(asked(server)) == set(range(IMAGES)) - {alike[0]}
    assert server.answer(image, "negative", client="me", alike=alike).json()["negatives"] == 1
    assert server.client.post("/api/split", json={"image": image}).json()["alike"] == []
    assert server.client.post("/api/split", json={"image": 99}).status_code == 404
    assert server.client.get("/api/statistics").json()["answers"] == 2
    server.session.close()
    publish(tmp_path / "run", [0, *GROUP])
    with serving(tmp_path / "run", folder) as again:
        until(lambda: again.session.near_duplicates.version is not None and again.session.queue.left == IMAGES - 2)
        assert all(not others for others in asked(again).values())
        assert len(again.session.labels.splits) == 4


def test_copies_that_are_found_later(server: Serving, tmp_path: Path) -> None:
    """What turns out to be alike is one question from then on; answers that stand count once."""
    server.answer(0, "positive", client="me")
    publish(tmp_path / "run", [0, 3, 4])
    until(lambda: server.session.queue.states.copies == 2)
    image, alike = question(server)
    assert sorted([image, *alike]) == [3, 4]
    told = server.client.get("/api/statistics").json()["audit"]
    assert told["rest"]["images"] == IMAGES - 3
    server.answer(image, "positive", client="me", alike=alike)
    told = server.client.get("/api/statistics").json()
    assert (told["answers"], told["audit"]["positives"]) == (1, {"low": 1, "high": 6})


def test_off(tmp_path: Path, folder: Path) -> None:
    """With `--alike off` every image is a question of its own, whatever was found before."""
    (tmp_path / "run").mkdir()
    publish(tmp_path / "run", GROUP)
    with serving(tmp_path / "run", folder, alike="off") as server:
        until(lambda: server.session.queue.left == IMAGES)
        assert asked(server) == {number: [] for number in asked(server)}
        assert len(asked(server)) == IMAGES


def test_a_split_is_taken_back(server: Serving, tmp_path: Path, folder: Path) -> None:
    """As an answer is: by whoever gave it, after what came since, also after a restart; then they are one again."""
    image, alike = question(server)
    server.answer(0, "positive", client="me")
    server.client.post("/api/split", json={"image": image, "client": "me"})
    assert server.client.post("/api/undo", json={"client": "another"}).status_code == 409
    server.answer(alike[0], "negative", client="me")
    server.session.close()
    with serving(tmp_path / "run", folder) as again:
        until(lambda: again.session.near_duplicates.version is not None and again.session.queue.left == IMAGES - 2)
        assert all(not others for others in asked(again).values())
        undone = again.client.post("/api/undo", json={"client": "me"}).json()
        assert [undone["image"], undone["label"], undone["images"][0]["alike"]] == [alike[0], "negative", []]
        told = again.client.post("/api/undo", json={"client": "me"}).json()
        assert (told["label"], sorted(told["together"])) == (None, GROUP)
        [shown] = told["images"]
        assert sorted([shown["image"], *shown["alike"]]) == GROUP
        assert asked(again)[shown["image"]] == shown["alike"]
        assert again.session.labels.splits == set()
        assert again.client.post("/api/undo", json={"client": "me"}).json()["image"] == 0
        assert again.client.post("/api/undo", json={"client": "me"}).status_code == 409


def test_a_split_of_answered_images_is_taken_back(server: Serving) -> None:
    """Nothing is asked again then; they only count as one."""
    image, alike = question(server)
    server.answer(image, "positive", client="you", alike=alike)
    server.client.post("/api/split", json={"image": image, "client": "me"})
    assert server.session.queue.states.copies == 0
    told = server.client.post("/api/undo", json={"client": "me"}).json()
    assert (told["images"], sorted(told["together"])) == ([], GROUP)
    assert server.session.queue.states.copies == 3
    assert server.client.get("/api/status").json()["positives"] == 4


def test_a_drawn_question_stays_drawn(server: Serving) -> None:
    """Else people who split and take that back would choose the sample; what the draw has told nobody stays untold."""
    server.session.queue.share = 1.0
    image, _ = question(server)
    server.client.post("/api/split", json={"image": image, "client": "me"})
    server.session.queue.share = 0.0
    asked(server)  # the others are in the client's hands, too, and not drawn
    [shown] = server.client.post("/api/undo", json={"client": "me"}).json()["images"]
    assert server.session.queue.question(shown["image"], "me").is_sampled
