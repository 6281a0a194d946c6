"""Images that are moved or renamed keep their answers; copies, and other contents in their place, get none."""

import contextlib
import csv
import io
import pickle
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.session.moves import paired
from backend.store import contents
from backend.store.contents import Content
from backend.store.labels import Labels
from backend.store.model_labels import Finish, ModelLabels
from backend.store.schema import DATABASE
from backend.store.table import DRAWN, Answer
from IA.images.tiles import Grid
from tests.backend.store.test_labels import answer
from tests.serving import Serving, serving, until

NAMES = ("x/a.png", "b.png", "c.png", "d.png")


def make(folder: Path, name: str, seed: int) -> None:
    """A picture that is like no other seed's."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Four pictures."""
    folder = tmp_path / "data"
    for seed, name in enumerate(NAMES):
        make(folder, name, seed)
    return folder.resolve()


@contextlib.contextmanager
def session(tmp_path: Path, datadir: Path, tile: str | None = None) -> Iterator[Serving]:
    """A server that has listed the images."""
    with serving(tmp_path / "run", datadir, tile=tile) as server:
        until(lambda: not server.session.images.listing)
        yield server


def say(server: Serving, path: str, label: str = "positive") -> None:
    """Answer an image, and wait until it is known by what it holds."""
    number = server.session.images.number(path)
    assert number is not None
    assert server.answer(number, label, client="me").status_code == 201
    until(lambda: is_read(server, path))


def is_read(server: Serving, path: str) -> bool:
    """Whether an image is known by what it holds."""
    return server.session.moves.knows(path.partition("#")[0])


def labels_of(server: Serving) -> dict[str, str]:
    """What stands."""
    return dict(server.session.labels.by_path())


def agrees(server: Serving) -> bool:
    """Whether all counts add up."""
    status = server.client.get("/api/status").json()
    return bool(sum(status[name] for name in ("positives", "negatives", "skipped", "left")) == status["images"])


def exported(server: Serving) -> dict[str, str]:
    """Paths and labels of the export."""
    rows = csv.DictReader(io.StringIO(server.client.get("/api/export?format=csv").text))
    return {row["path"]: row["label"] for row in rows}


@pytest.mark.slow
def test_while_the_session_runs(tmp_path: Path, datadir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The answer goes with the image, is told once, counted once, exported under the new path, and can be undone."""
    with session(tmp_path, datadir) as server:
        say(server, "x/a.png")
        (datadir / "y").mkdir()
        (datadir / "x/a.png").rename(datadir / "y/other.png")
        until(lambda: labels_of(server) == {"y/other.png": "positive"})
        until(lambda: agrees(server))
        assert exported(server) == {"y/other.png": "positive"}
        asked = [image["path"] for image in server.client.get("/api/queue?count=100").json()["images"]]
        assert sorted(asked) == ["b.png", "c.png", "d.png"]
        assert [record.message for record in caplog.records if "moved" in record.message] == [
            "1 image was moved or renamed: its answers were carried over ('x/a.png' is 'y/other.png' now)"
        ]
        old, new = server.session.images.number("x/a.png"), server.session.images.number("y/other.png")
        assert server.answer(old or 0, "negative", client="me").json()["image"] == new  # a page with the old number
        assert labels_of(server) == {"y/other.png": "negative"}
        assert server.client.post("/api/undo", json={"client": "me"}).json()["label"] == "negative"
        (datadir / "y/other.png").rename(datadir / "x/a.png")
        until(lambda: labels_of(server) == {"x/a.png": "positive"})
        assert server.client.post("/api/undo", json={"client": "me"}).json()["path"] == "x/a.png"
        until(lambda: agrees(server))
        assert labels_of(server) == {}
    with (tmp_path / "run" / "annotations.pickle").open("rb") as file:
        assert pickle.load(file) == {}


@pytest.mark.slow
@pytest.mark.parametrize("is_noticed", [True, False])
def test_while_it_is_on_the_screen(tmp_path: Path, datadir: Path, is_noticed: bool) -> None:
    """An image that is renamed once it was shown, and answered by its old number, has the answer at its new path."""
    with session(tmp_path, datadir) as server:
        number = server.session.images.number("x/a.png")
        assert number is not None
        assert server.client.get(f"/api/images/{number}?size=320").status_code == 200
        until(lambda: is_read(server, "x/a.png"))
        (datadir / "x/a.png").rename(datadir / "x/e.png")
        if is_noticed:
            until(lambda: server.session.images.is_gone(number))
        assert server.answer(number, client="me").status_code == 201
        until(lambda: labels_of(server) == {"x/e.png": "positive"} and agrees(server))


@pytest.mark.slow
def test_between_sessions_of_an_older_run(tmp_path: Path, datadir: Path) -> None:
    """A run that has never read its images does so in the background, and knows them again at a later start."""
    with session(tmp_path, datadir) as server:
        say(server, "x/a.png")
        say(server, "b.png", "negative")
    with contextlib.closing(sqlite3.connect(tmp_path / "run" / DATABASE)) as connection:
        connection.executescript("DROP TABLE contents; DROP TABLE moves")
    with session(tmp_path, datadir) as server:
        until(lambda: is_read(server, "x/a.png") and is_read(server, "b.png"))
    (datadir / "x").rename(datadir / "z")
    (datadir / "b.png").rename(datadir / "z/c.png")
    with session(tmp_path, datadir) as server:
        until(lambda: labels_of(server) == {"z/a.png": "positive", "z/c.png": "negative"})
        until(lambda: agrees(server))
    assert not list((tmp_path / "run").glob("annotations.pickle.*"))


@pytest.mark.slow
def test_a_pickle_of_before_a_move_is_nothing_lost(tmp_path: Path, datadir: Path) -> None:
    """A crash between the move and its publication leaves an old path there, which is no answer that was lost."""
    with session(tmp_path, datadir) as server:
        say(server, "x/a.png")
    shutil.copy(tmp_path / "run" / "annotations.pickle", tmp_path / "before")
    (datadir / "x/a.png").rename(datadir / "new.png")
    with session(tmp_path, datadir) as server:
        until(lambda: labels_of(server) == {"new.png": "positive"})
    shutil.copy(tmp_path / "before", tmp_path / "run" / "annotations.pickle")
    with session(tmp_path, datadir) as server:
        assert labels_of(server) == {"new.png": "positive"}
    assert not list((tmp_path / "run").glob("annotations.pickle.*"))


@pytest.mark.slow
def test_a_copy_is_asked_and_follows_when_the_first_goes(tmp_path: Path, datadir: Path) -> None:
    """While the answered one is there nothing is carried; once it is gone, what holds the same takes its place."""
    with session(tmp_path, datadir) as server:
        say(server, "b.png")
        shutil.copy(datadir / "b.png", datadir / "copy.png")
        until(lambda: server.session.images.number("copy.png") is not None and server.session.images.present == 5)
        make(datadir, "new.png", 9)  # what came before it has been looked at
        until(lambda: server.session.images.present == 6 and not server.session.moves.unmatched)
        assert labels_of(server) == {"b.png": "positive"}
        (datadir / "b.png").unlink()
        until(lambda: labels_of(server) == {"copy.png": "positive"})
        until(lambda: agrees(server))


def test_other_content(tmp_path: Path, datadir: Path) -> None:
    """A file written anew keeps its answer; of the same size and another content, none is carried to it."""
    for name, content in {"one.bmp": b"1" * 99, "two.bmp": b"2" * 99}.items():
        (datadir / name).write_bytes(content)
    with session(tmp_path, datadir) as server:
        say(server, "one.bmp")
        (datadir / "one.bmp").write_bytes(b"3" * 99)
        until(lambda: server.session.moves.knows("one.bmp"))
        (datadir / "one.bmp").unlink()
        until(lambda: server.session.moves.missing)
        assert labels_of(server) == {"one.bmp": "positive"}
        (datadir / "late.bmp").write_bytes(b"4" * 99)
        until(lambda: server.session.images.present == 6)
        until(lambda: not server.session.moves.unmatched)
        assert labels_of(server) == {"one.bmp": "positive"}


@pytest.mark.slow
def test_a_folder_of_many(tmp_path: Path, datadir: Path) -> None:
    """A folder that is renamed keeps all answers, each with its image."""
    for number in range(150):
        (datadir / f"x/{number}.bmp").write_bytes(str(number).encode().rjust(64))
    with session(tmp_path, datadir) as server:
        images = server.session.images
        numbers = [number for number in range(len(images)) if images.path(number).startswith("x/")]
        for start in range(0, len(numbers), 50):
            body = [{"image": n, "label": ("positive", "negative")[n % 2]} for n in numbers[start : start + 50]]
            assert server.client.post("/api/annotations/batch", json={"annotations": body}).status_code == 201
        expected = {path.replace("x/", "renamed/"): label for path, label in labels_of(server).items()}
        until(lambda: all(is_read(server, images.path(number)) for number in numbers))
        (datadir / "x").rename(datadir / "renamed")
        until(lambda: list(labels_of(server).items()) == list(expected.items()))
        until(lambda: agrees(server))


def test_tiles_move_with_their_photo(tmp_path: Path, datadir: Path) -> None:
    """All answers to tiles go where the photo went, and each tile keeps its own."""
    with session(tmp_path, datadir, tile="2x1") as server:
        say(server, "b.png#2x1-c1-r1")
        say(server, "b.png#2x1-c2-r1", "negative")
        (datadir / "b.png").rename(datadir / "e.png")
        until(lambda: labels_of(server) == {"e.png#2x1-c1-r1": "positive", "e.png#2x1-c2-r1": "negative"})
        until(lambda: agrees(server))


def test_all_that_was_said_is_carried(tmp_path: Path) -> None:
    """History, draws, near duplicates, splits and labels of the model go along; a photo with an answer keeps it."""
    labels = Labels(tmp_path)
    labels.annotate(answer("a.jpg", "positive")).result()
    drawn = Answer("drawn", "a.jpg", "negative", "key", "me", audit=DRAWN)
    labels.undo("me").result()
    labels.annotate(drawn).result()
    labels.annotate(Answer("copy", "b.jpg", "positive", "key", "me", copy_of="a.jpg")).result()
    labels.split(["a.jpg", "b.jpg"], "you").result()
    model = ModelLabels(labels.database)
    finish = Finish("f", "me", 0.5, 1)
    model.write(finish, np.array([0], np.int32), np.array([0.9], np.float32), lambda number: "a.jpg")
    model.wait()
    assert labels.carry([("a.jpg", "n.jpg"), ("b.jpg", "a.jpg")], None) == [("a.jpg", "n.jpg"), ("b.jpg", "a.jpg")][:1]
    model.close()
    assert list(labels.by_path()) == ["n.jpg", "b.jpg"]
    assert labels.is_sampled("n.jpg")
    assert not labels.is_sampled("a.jpg")
    assert labels.splits == {"n.jpg", "b.jpg"}
    labels.close()
    with contextlib.closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("SELECT path FROM model_labels").fetchall() == [("n.jpg",)]
    later = Labels(tmp_path)
    assert (list(later.by_path()), later.is_sampled("n.jpg"), later.splits) == (
        ["n.jpg", "b.jpg"],
        True,
        {"n.jpg", "b.jpg"},
    )
    assert {entry.path: entry.copy_of for entry in later.stored.standing()} == {"n.jpg": None, "b.jpg": "n.jpg"}
    later.close()


def test_of_several_that_hold_the_same_the_name_decides() -> None:
    """Those of one name are paired, then the others in order; what is left over is nobody's."""
    assert paired(["x/a.jpg", "x/b.jpg"], ["y/b.jpg", "y/c.jpg", "y/d.jpg"]) == [
        ("x/b.jpg", "y/b.jpg"),
        ("x/a.jpg", "y/c.jpg"),
    ]
    assert paired(["a", "b"], []) == []


def test_a_file_that_was_only_renamed_is_not_read_in_whole(tmp_path: Path) -> None:
    """Size, ends, inode and time tell it; a file that was copied is read, and one that differs inside is another."""
    (tmp_path / "a").write_bytes(bytes(300_000))
    content = contents.content_of(tmp_path / "a")
    assert content is not None
    (tmp_path / "a").rename(tmp_path / "b")
    marked = Content(content.size, content.changed, content.inode, content.ends, b"not read")
    assert contents.content_of(tmp_path / "b", [marked]) is marked
    shutil.copyfile(tmp_path / "b", tmp_path / "c")
    copied = contents.content_of(tmp_path / "c", [content])
    assert copied is not None
    assert copied.digest == content.digest
    (tmp_path / "c").write_bytes(bytes(150_000) + b"1" + bytes(149_999))
    other = contents.content_of(tmp_path / "c", [content])
    assert other is not None
    assert other.digest != content.digest
    (tmp_path / "c").write_bytes(b"")
    assert contents.content_of(tmp_path / "c") is None


def test_odd_names_are_carried(tmp_path: Path) -> None:
    """Names that are no UTF-8 are carried as they are."""
    labels = Labels(tmp_path)
    labels.annotate(answer("\udcff.jpg", "positive")).result()
    content = Content(1, "-1", "1", b"", b"")
    contents.keep_in(labels.database, {"\udcff.jpg": content})
    labels.carry([("\udcff.jpg", "\udcfe.jpg")], None)
    assert labels.by_path() == {"\udcfe.jpg": "positive"}
    assert labels.stored.contents(["\udcff.jpg", "\udcfe.jpg"]) == {"\udcfe.jpg": content}
    labels.close()


def test_grids_are_carried_tile_by_tile(tmp_path: Path) -> None:
    """A photo whose new path has one answered tile keeps its answers."""
    grid = Grid(2, 1)
    labels = Labels(tmp_path)
    labels.annotate(answer("a#2x1-c1-r1", "positive")).result()
    labels.annotate(answer("b#2x1-c2-r1", "positive")).result()
    assert labels.carry([("a", "b")], grid) == []
    assert set(labels.by_path()) == {"a#2x1-c1-r1", "b#2x1-c2-r1"}
    labels.close()
