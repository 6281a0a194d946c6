"""Labels for a run with tiles: of tiles, and of whole photos as far as those say something of their tiles."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.exports import FORMATS
from backend.exports.roll_up import RolledUp
from backend.import_labels import main
from backend.imports import read_labelled
from backend.imports.folders import class_folders
from backend.imports.labelled import Labelled, Words
from backend.imports.plan import Plan, plan
from backend.store.labels import Labels
from backend.store.table import Answer, Label
from IA.images.tiles import Grid, photo_of
from tests.backend.exports.test_round_trip import ANSWERS, FOLDER_NAMES, KEPT, NAMES, exported, file_of
from tests.backend.store.test_labels import answer
from tests.commands import Command, command_of
from tests.examples import examples
from tests.serving import serving, until

GRID = Grid(3, 2)
PHOTOS = ("a/1.jpg", "a/2.jpg", "b/1.jpg")
IMAGES = [tile for photo in PHOTOS for tile in GRID.paths(photo)]
EXPORTED = [*FORMATS]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The import."""
    return command_of(main, monkeypatch, capsys)


def planned(labels: Mapping[str, str], standing: Mapping[str, Label] | None = None) -> Plan:
    """What becomes of labels by path."""
    labelled = [Labelled(path, (label,)) for path, label in labels.items()]
    return plan(labelled, Words(), IMAGES, "/photos", standing or {})


@pytest.mark.parametrize(
    "way",
    [
        "{}/{}#{}",
        "/photos/{}/{}#{}",
        "/elsewhere/{}/{}#{}",
        "https://photos.example/{}/{}#{}",
        "/data/local-files/?d={}/{}#{}",
        "C:\\{}\\{}#{}",
    ],
)
def test_paths_of_tiles(way: str) -> None:
    """They mean tiles wherever paths mean images: absolute, in addresses, and after a move."""
    paths = {way.format(*photo.split("/"), "3x2-c2-r1"): "positive" for photo in PHOTOS}
    assert set(planned(paths).fresh) == {f"{photo}#3x2-c2-r1" for photo in PHOTOS}


def test_tiles_of_another_grid() -> None:
    """They are no images of this run."""
    found = planned({"a/1.jpg#6x4-c1-r1": "positive", "a/1.jpg#3x2-c1-r1": "positive"})
    assert list(found.fresh) == ["a/1.jpg#3x2-c1-r1"]
    assert found.matches.unknown == ["a/1.jpg#6x4-c1-r1"]


def test_labels_of_photos() -> None:
    """Negative is negative for every tile; positive and skipped say nothing of any one of them, and are told."""
    found = planned({"a/1.jpg": "negative", "/photos/a/2.jpg": "positive", "b/1.jpg": "skipped"})
    assert found.fresh == dict.fromkeys(GRID.paths("a/1.jpg"), "negative")
    assert found.of_photos == ["a/2.jpg", "b/1.jpg"]
    assert [given.path for given in found.answers(overwrite=False)] == list(GRID.paths("a/1.jpg"))
    assert found.drawn(lambda image: True) == list(GRID.paths("a/1.jpg"))
    assert not found.matches.unknown


def test_labels_of_photos_and_tiles_that_contradict() -> None:
    """A tile that has two gets neither; so does a photo; an answer that stands is a conflict."""
    [first, second, *rest] = GRID.paths("a/1.jpg")
    found = planned(
        {"a/1.jpg": "negative", first: "positive", "b/1.jpg": "negative", "/photos/b/1.jpg": "positive"},
        {second: "positive"},
    )
    assert found.contradictions == ["b/1.jpg", first]
    assert found.conflicts == {second: "negative"}
    assert found.fresh == dict.fromkeys(rest, "negative")


def test_class_folders() -> None:
    """A folder names photos: those of negative ones are negative throughout, no tile is positive by its folder."""
    labelled = class_folders(IMAGES, {"positive": ["b"], "negative": ["a"]})
    found = plan(labelled, Words(), IMAGES, "/photos", {})
    assert found.fresh == dict.fromkeys((path for path in IMAGES if path.startswith("a/")), "negative")
    assert found.of_photos == ["b/1.jpg"]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_rows_with_photo_and_tile_but_no_path(tmp_path: Path, suffix: str) -> None:
    """They are enough; a row without a tile means the photo."""
    rows = [("a/1.jpg", "3x2-c3-r2", "positive"), ("b/1.jpg", "", "negative")]
    file = tmp_path / f"labels{suffix}"
    if suffix == ".csv":
        file.write_text("\n".join(["source_image,tile,label", *map(",".join, rows)]))
    else:
        file.write_text(
            "\n".join(json.dumps(dict(zip(("source_image", "tile", "label"), row, strict=True))) for row in rows)
        )
    found = plan(read_labelled(file), Words(), IMAGES, "/photos", {})
    assert found.fresh == {"a/1.jpg#3x2-c3-r2": "positive"} | dict.fromkeys(GRID.paths("b/1.jpg"), "negative")


def test_json_min_of_label_studio(tmp_path: Path) -> None:
    """What it makes of a task of ours: the data, a column for the choice, and one for the rectangle."""
    place = [{"x": 0, "y": 50, "width": 33.3, "height": 50, "rotation": 0, "original_width": 600}]
    task: dict[str, Any] = {"image": "/data/local-files/?d=a/1.jpg", "source_image": "a/1.jpg", "tile": "3x2-c1-r2"}
    task |= {"id": 7, "label": "positive", "place": place, "annotator": 1, "lead_time": 2.5}
    (tmp_path / "min.json").write_text(json.dumps([task]))
    found = plan(read_labelled(tmp_path / "min.json"), Words(), IMAGES, "/photos", {})
    assert found.fresh == {"a/1.jpg#3x2-c1-r2": "positive"}


def test_coco_that_has_lost_what_we_said(tmp_path: Path) -> None:
    """A category of a tile is none of its photo: without its own attributes it says nothing."""
    (tmp_path / "images").mkdir()
    content = json.loads(exported("coco", [answer("a/1.jpg#3x2-c1-r1", "negative")], tmp_path / "images"))
    del content["annotations"][0]["attributes"]
    (tmp_path / "coco.json").write_text(json.dumps(content))
    assert read_labelled(tmp_path / "coco.json") == []


TILES = st.tuples(FOLDER_NAMES.filter(lambda name: name not in {".", ".."}), st.integers(0, 5))
NUMBERS = st.integers(0, 10**9)


@pytest.mark.parametrize("format", EXPORTED)
@given(
    answers=st.lists(
        st.builds(lambda given, place: (given, place), ANSWERS, TILES),
        min_size=1,
        max_size=6,
        unique_by=lambda each: (each[1][0].casefold(), each[1][1]),
    ),
    number=NUMBERS,
)
@settings(deadline=None, max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_out_comes_in_again(
    tmp_path: Path, format: str, answers: list[tuple[Answer, tuple[str, int]]], number: int
) -> None:
    """The same labels for the same tiles and, but for Label Studio, who gave them, when, how and what was said."""
    folder = tmp_path / format / str(number)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    given = [replace(each, path=list(GRID.paths(f"{name}.png"))[place]) for each, (name, place) in answers]
    data = exported(format, given, folder / "images")
    file = file_of(format, data, folder)
    images = [path for photo in sorted({photo_of(each.path) for each in given}) for path in GRID.paths(photo)]
    found = plan(read_labelled(file), Words(NAMES), images, "/photos", {})
    back = {each.path: each for each in found.answers(overwrite=False)}
    assert {path: each.label for path, each in back.items()} == {each.path: each.label for each in given}
    if format != "label-studio":
        for each in given:
            assert [getattr(back[each.path], name) for name in KEPT] == [getattr(each, name) for name in KEPT]


@pytest.mark.parametrize("format", EXPORTED)
def test_what_is_rolled_up_comes_in_again(tmp_path: Path, format: str) -> None:
    """Where the photos are images, all of it; where they are cut up the negative ones, and as labels from elsewhere."""
    given = [answer(path, "positive" if path == "b/1.jpg#3x2-c2-r2" else "negative") for path in IMAGES]
    (tmp_path / "images").mkdir()
    data = exported(format, list(RolledUp(given)), tmp_path / "images", is_rolled_up=True)
    labelled = read_labelled(file_of(format, data, tmp_path))
    whole = plan(labelled, Words(NAMES), PHOTOS, "/photos", {})
    assert whole.fresh == {"a/1.jpg": "negative", "a/2.jpg": "negative", "b/1.jpg": "positive"}
    found = plan(labelled, Words(NAMES), IMAGES, "/photos", {})
    assert found.fresh == dict.fromkeys((path for path in IMAGES if path.startswith("a/")), "negative")
    assert {each.source for each in found.answers(overwrite=False)} == {"import"}
    assert found.of_photos == ["b/1.jpg"]


def test_the_command(tmp_path: Path, images_folder: Path, command: Command) -> None:
    """What is left out is told before anything is stored."""
    with serving(tmp_path / "run", images_folder, tile="3x2") as server:
        until(lambda: not server.session.images.listing)
    (tmp_path / "labels.csv").write_text("path,label\nred/0.png,negative\nred/1.png,positive\nblue/0.png#3x2-c1-r1,1\n")
    told = command(tmp_path / "run", tmp_path / "labels.csv", "--dry-run")
    assert told.startswith("7 images get a label")
    assert "1 photo is positive or skipped in the file, which says nothing of its tiles" in told
    command(tmp_path / "run", tmp_path / "labels.csv")
    labels = Labels(tmp_path / "run")
    assert labels.counts() == {"positive": 1, "negative": 6, "skipped": 0}
    labels.close()
