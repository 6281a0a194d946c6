"""Labels from elsewhere: told before they are stored, matched to images, never in place of an answer unasked."""

import os
import pickle
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.import_labels import import_labels, main
from backend.imports import read_labelled
from backend.imports.labelled import Labelled, Words
from backend.imports.matching import match
from backend.imports.plan import plan
from backend.store.labels import Labels
from config import ROOT, UsageError
from IA.protocol import locks, pickle_file
from IA.protocol.files import ANNOTATIONS
from tests.backend.store.test_labels import answer, published
from tests.commands import Command, command_of
from tests.examples import examples
from tests.serving import serving, until


@pytest.fixture
def run(tmp_path: Path, images_folder: Path) -> Path:
    """A run of twelve images without an answer."""
    with serving(tmp_path / "run", images_folder) as server:
        until(lambda: not server.session.images.listing)
    return tmp_path / "run"


def pickled(path: Path, content: object, pickle_protocol: int = 4) -> Path:
    """A file as the seed of this project wrote it."""
    path.write_bytes(pickle.dumps(content, protocol=pickle_protocol))
    return path


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The import."""
    return command_of(main, monkeypatch, capsys)


@pytest.mark.parametrize("pickle_protocol", [2, 4])
def test_labels_of_the_seed(run: Path, images_folder: Path, tmp_path: Path, pickle_protocol: int) -> None:
    """`{absolute path: bool}` becomes answers that every part of a session knows, with a source of their own."""
    content = {f"{images_folder}/red/{number}.png": True for number in range(3)}
    content |= {f"{images_folder}/blue/{number}.png": False for number in range(2)}
    file = pickled(tmp_path / "annotations.pickle", content, pickle_protocol)
    given = [sys.executable, "-m", "backend.import_labels", str(run), str(file)]
    ended = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "5 images get a label"
    assert published(run) == {path.removeprefix(f"{images_folder}/"): label for path, label in content.items()}
    with serving(run, images_folder) as server:
        until(lambda: server.client.get("/api/status").json()["left"] == 7)
        listed = server.client.get("/api/annotations", params={"source": "import"}).json()
        assert {entry["source"] for entry in listed["annotations"]} == {"import"}
        assert listed["total"] == 5
        assert server.client.get("/api/statistics").json()["sources"]["import"] == 5
        assert server.client.get("/api/export?format=csv").text.count(",import,2") == 5  # then the time
        assert server.answer(7, source="import").status_code == 422


def test_a_dry_run_stores_nothing(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """With --dry-run everything is told and nothing is stored."""
    file = pickled(tmp_path / "a.pickle", {f"{images_folder}/red/0.png": True, "/elsewhere/x.png": False})
    ended = command(run, file, "--dry-run")
    assert "1 image gets a label\n" in ended
    assert "1 path is of no image in this run and is left out\n  /elsewhere/x.png" in ended
    assert "Nothing was stored" in ended
    assert published(run) == {}
    labels = Labels(run)
    assert list(labels.stored.standing()) == []
    labels.close()


def test_nothing_is_overwritten_unasked(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """An image that has another answer keeps it and is told, unless --overwrite is given; what stood is history."""
    labels = Labels(run)
    labels.annotate_all([answer("red/0.png", "negative"), answer("red/1.png", "positive")]).result()
    labels.close()
    file = pickled(tmp_path / "a.pickle", {f"{images_folder}/red/{number}.png": True for number in range(3)})
    ended = command(run, file)
    assert "1 has it already\n" in ended
    assert "1 has another label and keeps its own;" in ended
    assert "  red/0.png: negative, in the file positive" in ended
    assert published(run) == {"red/0.png": False, "red/1.png": True, "red/2.png": True}
    assert "1 has another label and is given the one in the file" in command(run, file, "--overwrite")
    assert published(run) == {"red/0.png": True, "red/1.png": True, "red/2.png": True}


def test_our_own_answers(run: Path, tmp_path: Path) -> None:
    """The annotations.pickle of another run, skips too; a torn one is refused by its checksum."""
    content = {"red/0.png": True, "blue/0.png": False, "blue/1.png": None}
    pickle_file.publish(tmp_path, ANNOTATIONS, content)
    data = (tmp_path / ANNOTATIONS.name).read_bytes()
    (tmp_path / ANNOTATIONS.name).write_bytes(data.replace(b"blue/0", b"blue/2"))
    with pytest.raises(UsageError, match="checksum"):
        import_labels(run, lambda _: read_labelled(tmp_path / ANNOTATIONS.name))
    (tmp_path / ANNOTATIONS.name).write_bytes(data)
    import_labels(run, lambda _: read_labelled(tmp_path / ANNOTATIONS.name))
    assert published(run) == content


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def test_mistakes(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Code in the file, another program's file, no run, a run in use: exit code 2, one sentence, nothing stored."""
    good = pickled(tmp_path / "good.pickle", {f"{images_folder}/red/0.png": True})
    ran = tmp_path / "ran"
    for content in ({"a": Runs(f"touch {ran}")}, [1, 2], {"a": 1}, {1: True}, {"a": "hat"}):
        assert "mistake: The labels cannot be read" in command(run, pickled(tmp_path / "bad.pickle", content))
    assert not ran.exists()
    (tmp_path / "torn.pickle").write_bytes(good.read_bytes()[:-4])
    for name in ("torn.pickle", "none.pickle", "labels.xyz"):
        assert f"/{name}" in command(run, tmp_path / name)
    assert f"mistake: {tmp_path} is no run" in command(tmp_path, good)
    assert "--labels-from-folders" in command(run)
    assert "--help" in command(run, good, "--force")
    assert "no image lies in a folder 'hats'" in command(run, "--labels-from-folders", "positive=hats")
    assert "such as positive=hat" in command(run, "--labels-from-folders", "hats")
    (tmp_path / "odd.csv").write_bytes("Datei;Gr\u00f6\u00dfe\nred/0.png;1\n".encode("cp1252"))
    assert "(there are Datei, Gr\u00f6\u00dfe); say which with --path-column." in command(run, tmp_path / "odd.csv")
    for name in ("session", "server"):
        with locks.hold(run, name):
            assert "open in a session" in command(run, good)
    assert published(run) == {}


IMAGES = ["a.png", "cats/a.png", "cats/b.png", "dogs/b.png", "dogs/deep/c.png"]


@pytest.mark.parametrize("before", ["/old/place/", "C:/Users/me/", "photos/"])
def test_a_folder_that_was_moved(before: str) -> None:
    """Where all paths speak for one move, each means the image at that place, also names that stand twice."""
    matches = match([f"{before}{image}" for image in IMAGES], IMAGES, "/new")
    assert matches.images == {f"{before}{image}": image for image in IMAGES}
    assert matches.move == (before, "")


def test_a_folder_that_is_part_of_ours() -> None:
    """A folder labelled on its own is found as a folder of ours."""
    matches = match(["/old/b.png", "/old/deep/c.png", "/old/new.png"], IMAGES, "/new")
    assert matches.images == {"/old/b.png": "dogs/b.png", "/old/deep/c.png": "dogs/deep/c.png"}
    assert matches.move == ("/old/", "dogs/")
    assert matches.unknown == ["/old/new.png"]


def test_ambiguous_paths() -> None:
    """A name alone that several images have means none of them; nor do two moves with as much to say."""
    matches = match(["/old/b.png"], IMAGES, "/new")
    assert (matches.images, matches.ambiguous) == ({}, ["/old/b.png"])
    matches = match(["/one/cats/b.png", "/two/dogs/b.png"], IMAGES, "/new")
    assert (matches.images, len(matches.ambiguous)) == ({}, 2)


def test_nothing_in_common() -> None:
    """Paths without the name of any image are of no image; ours below DATADIR mean themselves."""
    matches = match(["/new/cats/../a.png", "/old/z.png", "./cats/b.png"], IMAGES, "/new")
    assert matches.images == {"/new/cats/../a.png": "a.png", "./cats/b.png": "cats/b.png"}
    assert (matches.unknown, matches.move) == (["/old/z.png"], None)


def test_two_labels_of_one_image() -> None:
    """A file that says both of one image says neither."""
    given = {"/new/a.png": "positive", "a.png": "negative", "cats/b.png": "positive"}
    planned = plan([Labelled(path, (word,)) for path, word in given.items()], Words(), IMAGES, "/new", {})
    assert (planned.contradictions, planned.fresh) == (["a.png"], {"cats/b.png": "positive"})


NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=4)
FOLDERS = st.lists(NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map("/".join)


@given(images=st.sets(FOLDERS, min_size=1, max_size=20), before=FOLDERS)
@settings(deadline=None, max_examples=examples(200))
def test_any_folder_that_was_moved(images: set[str], before: str) -> None:
    """A folder seen elsewhere is never matched wrongly: each path means its image, or none."""
    matches = match([f"/{before}/{image}" for image in sorted(images)], sorted(images), f"/{uuid.uuid4()}")
    if matches.move == (f"/{before}/", ""):
        assert matches.images == {f"/{before}/{image}": image for image in images}
    told = {*matches.images, *matches.unknown, *matches.ambiguous, *matches.elsewhere, *matches.claimed}
    assert told == {f"/{before}/{image}" for image in images}


def test_over_http(run: Path, images_folder: Path) -> None:
    """A file given to the server is told first, stored when asked again, and taken back as a whole."""
    body = "path,label\nred/0.png,hat\nred/1.png,coat\nblue/0.png,negative\nnone.png,positive\n"
    with serving(run, images_folder) as server:
        until(lambda: not server.session.images.listing)
        server.answer(server.session.images.number("blue/0.png") or 0, "positive")
        asked = {"name": "mine.csv", "positive": "hat"}
        assert server.client.get("/api/import/last").json() == {"group": None, "images": 0}
        told = server.client.post("/api/import", params=asked, content=body).json()
        assert (told["positive"], told["negative"], told["unread"]) == (1, 0, {"coat": 1})
        assert told["conflicts"] == {"images": 1, "examples": ["blue/0.png (positive)"]}
        assert told["unknown"] == {"images": 1, "examples": ["none.png"]}
        until(lambda: published(run) == {"blue/0.png": True})
        wanted = asked | {"dry_run": "false", "overwrite": "true", "negative": "*"}
        stored = server.client.post("/api/import", params=wanted, content=body).json()
        assert (stored["counts"]["positives"], stored["counts"]["negatives"]) == (1, 2)
        until(lambda: published(run) == {"red/0.png": True, "red/1.png": False, "blue/0.png": False})
        server.answer(server.session.images.number("red/0.png") or 0, "skipped", group="1" * 32)
        assert server.client.get("/api/import/last").json() == {"group": stored["group"], "images": 2}
        server.client.post("/api/undo", json={})
        taken = server.client.post("/api/import/undo", json={"group": stored["group"]}).json()
        assert (taken["images"], taken["positives"], taken["negatives"]) == (3, 1, 0)
        assert server.client.get("/api/import/last").json() == {"group": None, "images": 0}
        assert server.client.post("/api/import/undo", json={"group": stored["group"]}).status_code == 409
        until(lambda: published(run) == {"blue/0.png": True})
        bad = server.client.post("/api/import", params={"name": "a.json"}, content=b"{")
        assert (bad.status_code, bad.json()["detail"]) == (422, "The labels cannot be read: a.json is no JSON.")
        assert server.client.post("/api/import", params={"name": "../a.csv"}, content=b"").status_code == 422
        large = server.client.post("/api/import", params={"name": "a.csv"}, content=b"x" * (16 * 2**20 + 1))
        assert large.status_code == 413


def test_what_a_page_is_told_of_odd_files(run: Path, images_folder: Path) -> None:
    """Columns that it can ask for, rules by which names were found, and no name that cannot be sent."""
    with serving(run, images_folder) as server:
        until(lambda: not server.session.images.listing)

        def told(name: str, content: bytes, **more: str) -> tuple[int, dict[str, Any]]:
            response = server.client.post("/api/import", params={"name": name, **more}, content=content)
            return response.status_code, response.json()

        table = "Datei;Gr\u00f6\u00dfe;Art\nRED/0.png;1;positive\n".encode("cp1252")
        columns = ["Datei", "Gr\u00f6\u00dfe", "Art"]
        status, asked = told("a.csv", table)
        assert (status, asked["missing"], asked["columns"]) == (422, "path_column", columns)
        assert "--" not in asked["detail"]
        assert told("a.csv", table, path_column="Datei")[1]["missing"] == "label_column"
        found = told("a.csv", table, path_column="Datei", label_column="Art")[1]
        assert found["positive"] == 1
        assert found["rules"] == [{"rule": "case", "paths": 1, "says": "was found in another case"}]
        status, odd = told(
            "a.json", b'[{"path": "\\ud800.jpg", "label": "\\udfff"}, {"path": "\\ud800", "label": "yes"}]'
        )
        assert (status, odd["unread"], odd["unknown"]["examples"]) == (200, {"\ufffd": 1}, ["\ufffd"])
        assert told("a.json", b'{"\\ud800": 1, "images": [{}]}')[0] == 422
        assert told("a.jsonl", b'{"\\ud800column": 1}')[1]["columns"] == ["\ufffdcolumn"]


def test_what_was_drawn_leaves_the_sample(run: Path, images_folder: Path) -> None:
    """An import says nothing about images at random: what it names is asked for, also where it had been drawn."""
    with serving(run, images_folder, audit=1.0) as server:
        until(lambda: server.session.queue.left == 12)
        server.client.put("/api/audit", json={"share": 1})
        drawn = [server.client.get("/api/queue?count=1&client=me").json()["images"][0] for _ in range(1)]
        for image in drawn:
            server.answer(image["image"], "negative", client="me")
        assert server.client.get("/api/statistics").json()["audit"]["rest"]["drawn"] == 1
        body = "".join(["path,label\n", *(f"{image['path']},negative\n" for image in drawn)])
        wanted = {"name": "a.csv", "dry_run": "false"}
        stored = server.client.post("/api/import", params=wanted, content=body).json()
        assert (stored["same"], stored["group"]) == (1, None)
        until(lambda: server.client.get("/api/statistics").json()["audit"]["rest"]["drawn"] == 0)
