"""A run with tiles, exported: each tile with its photo and place, as pictures of its own, and rolled up to photos."""

import csv
import io
import json
import os
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product, starmap
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from backend.export import main
from backend.exports import FORMATS
from backend.exports.fields import FIELDS, fields
from backend.exports.label_studio import config
from backend.exports.pictures import Pictures
from backend.exports.roll_up import OfPhoto, RolledUp
from backend.exports.source import Source
from backend.exports.trees.crops import name_of
from backend.imports import read_labelled
from backend.imports.labelled import Words
from backend.imports.plan import plan
from backend.store.sources import BY_MODEL
from backend.store.table import Answer, Label
from IA.images.tiles import Grid, Tile, split
from IA.images.workers import Workers
from tests.backend.exports.test_exports import exported, unpacked
from tests.backend.store.test_labels import answer
from tests.commands import Command, command_of
from tests.serving import Serving, serving, until

GRID = Grid(3, 2)
LABELS: tuple[Label, ...] = ("positive", "negative", "skipped")
GIVEN = {  # of three photos the answers to their tiles, in the order asked
    "red/0.png": "nnnnns",
    "red/1.png": "nnnnnn",
    "blue/0.png": "npnpn",
    "blue/1.png": "nns",
}
ROLLED_UP = {"red/0.png": "skipped", "red/1.png": "negative", "blue/0.png": "positive"}


@pytest.fixture
def server(tmp_path: Path, images_folder: Path) -> Iterator[Serving]:
    """A server whose twelve photos are cut into six tiles each, some of them answered."""
    with serving(tmp_path / "run", images_folder, positive="hat", negative="no hat", tile="3x2") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for photo, labels in GIVEN.items():
            for path, label in zip(GRID.paths(photo), labels, strict=False):
                number = server.session.images.number(path)
                assert number is not None
                server.answer(number, next(each for each in LABELS if each[0] == label), client="me")
        yield server


@pytest.fixture
def run(server: Serving) -> Path:
    """Its run, in use."""
    return server.session.run


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The export."""
    return command_of(main, monkeypatch, capsys)


def table(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode())))


# --- tiles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_tables(server: Serving, format: str) -> None:
    """Photo and tile are columns of their own, at the end."""
    content = exported(server, format)
    rows = table(content) if format == "csv" else [json.loads(line) for line in content.splitlines()]
    assert len(rows) == sum(map(len, GIVEN.values()))
    assert tuple(rows[0]) == fields(False)
    assert FIELDS[-2:] == ("source_image", "tile")
    assert {(row["source_image"], row["tile"]) for row in rows} >= {
        ("red/0.png", "3x2-c1-r1"),
        ("red/0.png", "3x2-c3-r2"),
    }
    assert all(row["path"] == f"{row['source_image']}#{row['tile']}" for row in rows)


def test_class_folders(server: Serving, images_folder: Path) -> None:
    """Each tile is a picture of its own, of the pixels that it has in its photo; no skipped one is made."""
    files = unpacked(exported(server, "folders"))
    rows = table(files.pop("answers.csv"))
    meant = {"positive": "hat", "negative": "no hat"}
    wanted = {
        f"{meant[row['label']]}/{row['source_image']}.{row['tile']}.jpg": row for row in rows if row["label"] in meant
    }
    assert set(files) == set(wanted)
    for name, row in wanted.items():
        with Image.open(images_folder / row["source_image"]) as photo, Image.open(io.BytesIO(files[name])) as tile:
            assert tile.format == "JPEG"
            part = np.asarray(photo.crop(_tile(row["path"]).box(*photo.size)), np.int16)
            assert np.abs(np.asarray(tile, np.int16) - part).mean() < 4
            assert tile.size == (20, 20)


def _tile(path: str) -> Tile:
    tile = split(path)[1]
    assert tile is not None
    return tile


def test_imagefolder(server: Serving) -> None:
    """The same by number, skipped ones too."""
    files = unpacked(exported(server, "imagefolder"))
    rows = table(files.pop("metadata.csv"))
    assert {row["file_name"] for row in rows} == set(files)
    assert {Path(name).suffix for name in files} == {".jpg"}
    assert len(files) == sum(map(len, GIVEN.values()))


def test_a_photo_is_decoded_once_for_its_tiles(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever order they were answered, as long as they fit into memory together; else as many as do."""
    asked: list[int] = []
    call = Workers.call

    def counted(workers: Workers, function: Any, photo: Path, tiles: Sequence[Tile], *more: object) -> Any:
        asked.append(len(tiles))
        return call(workers, function, photo, tiles, *more)

    server.answer(server.session.images.number("red/5.png#3x2-c1-r1") or 0, client="me")
    server.answer(server.session.images.number("blue/1.png#3x2-c3-r2") or 0, client="me")
    monkeypatch.setattr(Workers, "call", counted)
    exported(server, "imagefolder")
    assert sorted(asked) == [1, 4, 5, 6, 6]
    asked.clear()
    monkeypatch.setattr("backend.exports.trees.crops.AT_ONCE_PX", 60 * 40 // 2)
    exported(server, "imagefolder")
    assert max(asked) == 3


def test_photos_that_are_away_or_damaged(server: Serving, images_folder: Path) -> None:
    """Each of their tiles is listed; the others come, and all answers."""
    (images_folder / "red" / "0.png").unlink()
    (images_folder / "red" / "1.png").write_bytes(b"no picture")
    (images_folder / "blue" / "1.png").unlink()
    Image.new("RGB", (2, 40)).save(images_folder / "blue" / "1.png")  # fewer pixels than the grid has columns
    files = unpacked(exported(server, "folders"))
    told = [line.partition(": ") for line in files["MISSING.txt"].decode().splitlines()]
    assert {split(path)[0] for path, _, _ in told} == {"red/0.png", "red/1.png", "blue/1.png"}
    assert all(reason for *_, reason in told)
    assert len(told) == 5 + 6 + 2
    assert len([name for name in files if name.endswith(".jpg")]) == 5
    assert len(table(files["answers.csv"])) == sum(map(len, GIVEN.values()))


def test_a_photo_that_cannot_be_shown_is_told_once(
    server: Serving, images_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However many of its tiles are asked for."""
    (images_folder / "red/5.png").write_bytes(b"no picture")
    for path in GRID.paths("red/5.png"):
        number = server.session.images.number(path)
        assert server.client.get(f"/api/images/{number}?size=64").status_code == 415
    assert [each.message.split(" ")[0] for each in caplog.records if "unreadable" in each.message] == ["'red/5.png'"]


def test_names_of_tiles_are_never_the_same() -> None:
    """Photos beside each other that differ by their endings alone."""
    tile = Tile(6, 4, 2, 3)
    assert name_of("a/b.jpg", tile) == "a/b.6x4-c2-r3.jpg"
    photos = ("b.jpg", "b.png", "b.JPG", "b.jpeg", "b.png.jpg", "b.jpg.jpg", "b.png.jpg.jpg", "b.c.jpg")
    assert len({name_of(photo, tile) for photo in photos}) == len(photos)


LONG = ("x" * 251 + ".jpg", "x" * 250 + "y.jpg", "x" * 251 + ".png", "ä" * 125 + "y.jpg", "\udcff" * 251 + ".jpg")


def test_long_names_of_tiles() -> None:
    """A name of 255 bytes, which leaves no room for the tile, is cut; no two become one."""
    tiles = list(starmap(Tile, product([100], [100], [1, 100], [1, 100])))
    names = [name_of(f"a/{photo}", tile) for photo in LONG for tile in tiles]
    assert max(len(os.fsencode(PurePosixPath(name).name)) for name in names) <= 255
    assert len(set(names)) == len(LONG) * len(tiles)
    assert names[3].endswith(".100x100-c100-r100.jpg")


def test_long_names_go_out_and_come_in_again(tmp_path: Path, images_folder: Path, command: Command) -> None:
    """As a zip and on the disk: each tile is there once, and the table leads back to its photo."""
    for photo, name in zip(sorted(images_folder.rglob("*.png")), LONG, strict=False):
        photo.rename(images_folder / name)
    with serving(tmp_path / "run", images_folder, tile="2x2") as server:
        until(lambda: not server.client.get("/api/status").json()["listing"])
        for name in LONG:
            number = server.session.images.number(f"{name}#2x2-c1-r2")
            assert number is not None
            server.answer(number)
        zipped = zipfile.ZipFile(io.BytesIO(server.client.get("/api/export?format=folders").content))
        command(server.session.run, "--format", "folders", "--to", tmp_path / "out")
    placed = [path for path in (tmp_path / "out" / "positive").rglob("*") if path.is_file()]
    assert len(placed) == len(LONG)
    assert sum(name.endswith("2x2-c1-r2.jpg") for name in zipped.namelist()) == len(LONG)
    assert "MISSING.txt" not in zipped.namelist()
    known = [f"{name}#2x2-c1-r2" for name in LONG]
    found = plan(read_labelled(tmp_path / "out" / "answers.csv"), Words(), known, "/photos", {})
    assert set(found.fresh) == set(known)


def test_coco(server: Serving, images_folder: Path) -> None:
    """An image a photo; an annotation for each answer, with the box of its tile; skips beside them."""
    (images_folder / "blue" / "1.png").unlink()
    content = json.loads(exported(server, "coco"))
    images = {image["id"]: image for image in content["images"]}
    assert sorted(image["file_name"] for image in images.values()) == sorted(GIVEN)
    given = {
        path: label for photo, labels in GIVEN.items() for path, label in zip(GRID.paths(photo), labels, strict=False)
    }
    found = {each["attributes"]["path"]: each for each in content["annotations"]}
    assert set(found) == {path for path, label in given.items() if label != "s"}
    assert len({each["id"] for each in found.values()}) == len(found)
    assert found["red/0.png#3x2-c2-r2"]["bbox"] == [20, 20, 20, 20]
    assert found["blue/1.png#3x2-c1-r1"]["bbox"] == [0, 0, 0, 0]
    assert {path for path, each in found.items() if each["category_id"] == 1} == {
        "blue/0.png#3x2-c2-r1",
        "blue/0.png#3x2-c1-r2",
    }
    assert all(images[each["image_id"]]["file_name"] == each["attributes"]["source_image"] for each in found.values())
    assert {each["attributes"]["path"] for each in content["skipped"]} == {
        "red/0.png#3x2-c3-r2",
        "blue/1.png#3x2-c3-r1",
    }


def test_label_studio(server: Serving) -> None:
    """The task shows the photo, and where in it the tile lies, skipped or not; the config has the rectangle."""
    tasks = {task["data"]["path"]: task for task in json.loads(exported(server, "label-studio"))}
    task = tasks["red/0.png#3x2-c2-r2"]
    assert task["data"]["image"] == "/data/local-files/?d=red/0.png"
    assert (task["data"]["source_image"], task["data"]["tile"]) == ("red/0.png", "3x2-c2-r2")
    choice, place = task["annotations"][0]["result"]
    assert choice["value"] == {"choices": ["no hat"]}
    assert place["type"] == "rectangle"
    value = {name: round(number, 6) for name, number in place["value"].items()}
    assert value == {"x": 33.333333, "y": 50, "width": 33.333333, "height": 50, "rotation": 0}
    skipped = tasks["red/0.png#3x2-c3-r2"]["annotations"][0]
    assert skipped["was_cancelled"]
    assert [result["type"] for result in skipped["result"]] == ["rectangle"]
    scheme = server.client.get("/api/export/label-studio.xml")
    assert f'<Rectangle name="{place["from_name"]}" toName="image"/>' in scheme.text
    assert b"Rectangle" not in config("hat", "no hat")
    assert "Rectangle" not in server.client.get("/api/export/label-studio.xml?roll_up=true").text


# --- rolled up --------------------------------------------------------------------------------------------------------


def photos(answers: list[Answer], label: Label | None = None) -> list[OfPhoto]:
    """The photos of these answers."""
    return list(RolledUp(answers, label))


def of_tiles(photo: str, labels: str) -> list[Answer]:
    """Answers to the first tiles of a photo."""
    meant = {label[0]: label for label in LABELS}
    return [answer(path, meant[label]) for path, label in zip(GRID.paths(photo), labels, strict=False)]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("nnnnnn", "negative"),
        ("nnnnn", None),
        ("p", "positive"),
        ("nnpnss", "positive"),
        ("nnnnns", "skipped"),
        ("nnsnn", None),
        ("ssssss", "skipped"),
    ],
)
def test_labels_of_photos(labels: str, expected: Label | None) -> None:
    """Positive if any tile is; else nothing is known until all are answered."""
    rolled = RolledUp(of_tiles("a.jpg", labels))
    assert [photo.label for photo in rolled] == ([expected] if expected else [])
    assert rolled.count == rolled.known == bool(expected)


def test_who_decided() -> None:
    """The first positive answer, else the last that skipped, else the last; the highest probability that counts."""
    given = of_tiles("a.jpg", "npnp") + of_tiles("b.jpg", "nnnnnn")
    given = [
        replace(each, client=f"client-{place}", time=1e9 + place, shown_ms=place, probability=said, checkpoint=place)
        for place, (each, said) in enumerate(
            zip(given, [0.9, 0.3, 0.8, 0.4, 0.1, None, 0.2, 0.05, 0.1, None], strict=True)
        )
    ]
    first, second = photos(given)
    assert (first.path, first.client, first.time, first.shown_ms) == ("a.jpg", "client-1", 1e9 + 1, 1)
    assert (first.probability, first.checkpoint, first.tiles, first.tiles_positive) == (0.4, 3, 6, 2)
    assert (second.path, second.client, second.probability, second.checkpoint) == ("b.jpg", "client-9", 0.2, 6)
    assert (second.tiles, second.tiles_positive) == (6, 0)
    [skipped] = photos([replace(each, time=1e9 + place) for place, each in enumerate(of_tiles("c.jpg", "nsnsnn"))])
    assert (skipped.label, skipped.time) == ("skipped", 1e9 + 3)


def test_labels_of_the_model_count() -> None:
    """They are answers like any other; a photo that they alone make complete is the model's."""
    given = of_tiles("a.jpg", "nnnnnn") + of_tiles("b.jpg", "p")
    given[5] = replace(given[5], source=BY_MODEL)
    assert [(photo.path, photo.label, photo.source) for photo in photos(given)] == [
        ("a.jpg", "negative", BY_MODEL),
        ("b.jpg", "positive", "key"),
    ]


PHOTOS = st.sampled_from(["a.jpg", "b/a.jpg", "b/c.png", "whole.jpg"])
PLACES = st.tuples(PHOTOS, st.integers(1, 3), st.just(1))
PROBABILITIES = st.none() | st.floats(0, 1)


@given(st.lists(st.tuples(PLACES, st.sampled_from(LABELS), PROBABILITIES), max_size=30, unique_by=lambda each: each[0]))
def test_any_answers(given: list[tuple[tuple[str, int, int], Label, float | None]]) -> None:
    """Whatever was answered in whatever order: the same as looking at all tiles of each photo together."""
    answers = [
        replace(answer(f"{photo}#{Tile(3, 1, column, row)}", label), probability=said, time=1e9 + place, shown_ms=place)
        for place, ((photo, column, row), label, said) in enumerate(given)
    ]
    tiles: dict[str, list[Answer]] = defaultdict(list)
    for each in answers:
        tiles[split(each.path)[0]].append(each)
    expected = {}
    for photo, of_photo in tiles.items():
        positive = [each for each in of_photo if each.label == "positive"]
        label = (
            "positive" if positive else "skipped" if any(each.label == "skipped" for each in of_photo) else "negative"
        )
        if positive or len(of_photo) == 3:
            said = [each.probability for each in positive or of_photo if each.probability is not None]
            skipped = [each for each in of_photo if each.label == "skipped"]
            decided = positive[0] if positive else (skipped or of_photo)[-1]
            expected[photo] = label, max(said, default=None), decided.when, decided.shown_ms, 3, len(positive)
    found = photos(answers)
    assert {
        photo.path: (photo.label, photo.probability, photo.when, photo.shown_ms, photo.tiles, photo.tiles_positive)
        for photo in found
    } == expected
    assert len(found) == len(expected)
    for only in LABELS:
        assert photos(answers, only) == [photo for photo in found if photo.label == only]


def test_rolled_up_tables(server: Serving) -> None:
    """A row a photo, with how many tiles it has and how many of them are positive; one label alone if asked."""
    rows = table(exported(server, "csv", roll_up="true"))
    assert {row["path"]: row["label"] for row in rows} == ROLLED_UP
    assert tuple(rows[0]) == fields(True)
    assert [(row["tiles"], row["tiles_positive"]) for row in rows if row["label"] == "positive"] == [("6", "2")]
    assert all((row["source_image"], row["tile"]) == (row["path"], "") for row in rows)
    assert [row["path"] for row in table(exported(server, "csv", roll_up="true", label="negative"))] == ["red/1.png"]
    lines = [json.loads(line) for line in exported(server, "jsonl", roll_up="true").splitlines()]
    assert {line["path"]: line["label"] for line in lines} == ROLLED_UP


def test_rolled_up_in_every_other_format(server: Serving, images_folder: Path) -> None:
    """Photos as if they had been the images."""
    content = json.loads(exported(server, "coco", roll_up="true"))
    assert {image["file_name"]: image["attributes"]["label"] for image in content["images"]} == ROLLED_UP
    assert [each["bbox"] for each in content["annotations"]] == [[0, 0, 60, 40]] * 2
    tasks = json.loads(exported(server, "label-studio", roll_up="true"))
    assert {task["data"]["path"] for task in tasks} == set(ROLLED_UP)
    assert all(set(task["data"]) == {"image", "path"} for task in tasks)
    files = unpacked(exported(server, "folders", roll_up="true"))
    assert files["hat/blue/0.png"] == (images_folder / "blue" / "0.png").read_bytes()
    assert set(files) == {"hat/blue/0.png", "no hat/red/1.png", "answers.csv"}
    files = unpacked(exported(server, "imagefolder", roll_up="true"))
    assert tuple(table(files["metadata.csv"])[0]) == ("file_name", *fields(True))


@pytest.mark.parametrize("more", [(), ("--roll-up",)])
@pytest.mark.parametrize("format", list(FORMATS))
def test_the_command_writes_what_is_downloaded(
    server: Serving, run: Path, tmp_path: Path, command: Command, format: str, more: tuple[str, ...]
) -> None:
    """The same, rolled up or not; and it says how many photos are left out."""
    ending = Path(FORMATS[format].ending).suffix
    to = tmp_path / "out" / f"export{ending}"
    to.parent.mkdir()
    told = command(run, "--format", format, "--to", to, *more)
    images = {"folders": ("18 images", "2 images"), "imagefolder": ("20 images", "3 images")}
    assert told.startswith(images.get(format, ("20 answers", "3 answers"))[bool(more)])
    assert ("9 photos are left out" in told) == bool(more)
    ours = exported(server, format, **({"roll_up": "true"} if more else {}))
    if ending == ".zip":
        with zipfile.ZipFile(to) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == unpacked(ours)
    else:
        assert to.read_bytes() == ours
    if format == "label-studio":
        assert ("Rectangle" in to.with_suffix(".xml").read_text()) == (not more)


def test_folders_on_the_disk(run: Path, images_folder: Path, tmp_path: Path, command: Command) -> None:
    """Tiles are files of their own, as old as their photo; no links lead to them, but to photos."""
    command(run, "--format", "folders", "--to", tmp_path / "tiles")
    tile = tmp_path / "tiles" / "hat" / "blue" / "0.png.3x2-c2-r1.jpg"
    assert tile.stat().st_mtime == pytest.approx((images_folder / "blue" / "0.png").stat().st_mtime, abs=1e-3)
    assert "--roll-up" in command(run, "--format", "folders", "--to", tmp_path / "links", "--link", "hard")
    assert not (tmp_path / "links").exists()
    told = command(run, "--format", "folders", "--to", tmp_path / "links", "--link", "hard", "--roll-up")
    assert told.startswith("2 images")
    assert (tmp_path / "links" / "hat" / "blue" / "0.png").samefile(images_folder / "blue" / "0.png")


def test_nothing_is_rolled_up_without_tiles(tmp_path: Path, images_folder: Path, command: Command) -> None:
    """One sentence says so."""
    with serving(tmp_path / "run", images_folder) as server:
        assert server.client.get("/api/export?roll_up=true").status_code == 422
        assert "--roll-up is for" in command(
            tmp_path / "run", "--format", "csv", "--to", tmp_path / "a.csv", "--roll-up"
        )


def test_a_moment_by_path(server: Serving) -> None:
    """The same answers, those to the tiles of a photo in a row."""
    labels = server.session.labels
    server.answer(server.session.images.number("red/1.png#3x2-c1-r1") or 0, "positive", client="me")
    by_path = list(labels.stored.moment(by_path=True))
    assert sorted(by_path, key=lambda each: each.path) == by_path
    assert {each.id for each in by_path} == {each.id for each in labels.stored.moment()}
    source = Source(
        labels.stored.moment("negative", by_path=True), "hat", "no hat", Pictures(Path("/nowhere")), "negative"
    )
    assert len(list(source.answers)) == len([each for each in by_path if each.label == "negative"])
