"""Several answers at once, and the undo of a grid, over real HTTP."""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from IA.protocol import files as protocol
from IA.protocol import pickle_file
from tests.backend.store.test_labels import VERSION_1
from tests.serving import Serving, serving, until

COUNT = 8
FAIL = "BEGIN SELECT RAISE(FAIL, 'it fails'); END"


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Eight pictures."""
    folder = tmp_path / "data"
    folder.mkdir()
    for number in range(COUNT):
        Image.new("RGB", (40, 30)).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture
def server(tmp_path: Path, datadir: Path) -> Iterator[Serving]:
    """A server that has listed them all."""
    with serving(tmp_path / "run", datadir) as server:
        until(lambda: not server.session.images.listing)
        yield server


def entry(image: int, label: str = "positive", **more: object) -> dict[str, Any]:
    """One answer of a batch."""
    return {"image": image, "label": label, "id": str(uuid.uuid4()), "client": "me"} | more


def batch(server: Serving, *entries: object) -> httpx.Response:
    """Post a batch."""
    return server.client.post("/api/annotations/batch", json={"annotations": entries})


def test_a_batch_is_stored_in_order(server: Serving) -> None:
    """All of a batch counts, in the order given, an image that is not there refuses itself alone."""
    entries = [entry(3), entry(99), entry(1, "negative"), entry(2, "skipped"), entry(3, "negative")]
    response = batch(server, *entries)
    assert response.status_code == 201
    assert response.json() == {
        "results": [
            {"id": entries[0]["id"], "image": 3, "label": "positive", "status": 201},
            {"id": entries[1]["id"], "status": 404, "detail": "There is no image 99."},
            {"id": entries[2]["id"], "image": 1, "label": "negative", "status": 201},
            {"id": entries[3]["id"], "image": 2, "label": "skipped", "status": 201},
            {"id": entries[4]["id"], "image": 3, "label": "negative", "status": 201},
        ],
        "positives": 0,
        "negatives": 2,
        "skipped": 1,
        "left": COUNT - 3,
    }
    listed = server.client.get("/api/annotations").json()["annotations"]
    assert [record["image"] for record in listed] == [3, 2, 1]
    paths = [server.session.images.path(image) for image in (1, 2, 3)]
    answers = dict(zip(paths, [False, None, False], strict=True))
    until(lambda: pickle_file.read(server.session.run, protocol.ANNOTATIONS).content == answers)


def test_a_batch_sent_again_is_stored_once(server: Serving) -> None:
    """The same ids again get the same answers, also when only some of them had been stored."""
    first, second = entry(1), entry(2, "negative")
    server.client.post("/api/annotations", json=first)
    answered = batch(server, first, second, second).json()
    assert [result["status"] for result in answered["results"]] == [201, 201, 201]
    assert batch(server, first, second, second).json() == answered
    assert server.client.get("/api/annotations").json()["total"] == 2
    for image in (2, 1):
        assert server.client.post("/api/undo", json={"client": "me"}).json()["image"] == image
    assert server.client.post("/api/undo", json={"client": "me"}).status_code == 409


def test_a_hundred_at_once(server: Serving) -> None:
    """A hundred answers with everything that an answer may say fit into one request; more are refused."""
    full = [
        entry(n % COUNT, client="c" * 64, source="button", shown_ms=2**52, group=str(uuid.uuid4()), repeat=False)
        for n in range(100)
    ]
    assert batch(server, *full).status_code == 201
    assert batch(server, *full, full[0]).status_code == 422
    assert batch(server).status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"image": "1"}, {"label": "maybe"}, {"group": "grid"}, {"repeat": 1}, {"extra": 1}, {"shown_ms": -1}]
)
def test_a_bad_entry_refuses_the_batch(server: Serving, wrong: dict[str, object]) -> None:
    """An entry that makes no sense is 422, and nothing of its batch is stored."""
    assert batch(server, entry(1), entry(2) | wrong).status_code == 422
    assert server.client.get("/api/annotations").json()["total"] == 0


def test_a_batch_that_is_not_durable(server: Serving) -> None:
    """While the database fails a batch is 503 and none of it counts; sent again later, all of it does."""
    server.answer(0)
    entries, second = [entry(1), entry(2)], server.session.images.path(2)
    with contextlib.closing(server.session.labels.database.open()) as connection:
        connection.execute(f"CREATE TRIGGER failing BEFORE INSERT ON answers WHEN NEW.path = '{second}' {FAIL}")
        assert batch(server, *entries).status_code == 503
        assert server.client.get("/api/status").json()["positives"] == 1
        connection.execute("DROP TRIGGER failing")
    assert batch(server, *entries).json()["positives"] == 3


def test_one_undo_for_a_grid(tmp_path: Path, datadir: Path) -> None:
    """An undo takes back the whole group that was answered last, also after a restart, then one answer at a time."""
    group = str(uuid.uuid4())
    with serving(tmp_path / "run", datadir) as server:
        until(lambda: not server.session.images.listing)
        server.client.post("/api/annotations", json=entry(0))
        batch(server, *[entry(image, "negative", group=group) for image in (1, 2, 0)])
        server.client.post("/api/annotations", json=entry(3, group=group))
    with serving(tmp_path / "run", datadir) as server:
        until(lambda: not server.session.images.listing)
        undone = server.client.post("/api/undo", json={"client": "me"}).json()
        assert [image["image"] for image in undone["images"]] == [1, 2, 0, 3]
        last = undone.pop("images")[-1]
        assert undone.pop("taken") == 4
        assert undone == last
        assert set(last) == {"image", "path", "source_image", "tile", "label", "version", "alike"}
        assert server.session.answering.counts() == {"positives": 1, "negatives": 0, "skipped": 0, "left": COUNT - 1}
        assert [
            image["image"] for image in server.client.post("/api/undo", json={"client": "me"}).json()["images"]
        ] == [0]


def test_a_broken_group_is_taken_back_in_parts(server: Serving) -> None:
    """Only the answers of a group that the client gave without another between them go at once."""
    group = str(uuid.uuid4())
    batch(server, entry(1, group=group), entry(2, group=group), entry(3), entry(4, group=group))
    server.client.post("/api/annotations", json=entry(5, client="you"))
    images = []
    for _ in range(3):
        undone = server.client.post("/api/undo", json={"client": "me"}).json()
        images.append([image["image"] for image in undone["images"]])
    assert images == [[4], [3], [1, 2]]


def test_a_repeat_is_listed_as_one(server: Serving) -> None:
    """An answer to an image that was asked again blindly says so in the list."""
    server.answer(1, "negative")
    server.answer(1, "positive", repeat=True)
    server.answer(2)
    listed = server.client.get("/api/annotations").json()["annotations"]
    assert [record["repeat"] for record in listed] == [False, True]


def test_version_1_is_served(tmp_path: Path, datadir: Path) -> None:
    """A run of the first version is served with its answers."""
    (tmp_path / "run").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "run" / "labels.sqlite3")) as connection:
        connection.executescript(VERSION_1.read_text())
    with serving(tmp_path / "run", datadir) as server:
        records = server.client.get("/api/annotations").json()["annotations"]
        assert [record["path"] for record in records] == ["b c.jpg", "späte Übung'.png", "a.jpg"]
