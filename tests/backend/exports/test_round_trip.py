"""What goes out comes in again: each export, read by the import into another run, gives the same answers."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.exports import FORMATS
from backend.exports.pictures import Pictures
from backend.exports.source import LOCAL_FILES, Source
from backend.imports import read_labelled
from backend.imports.labelled import Words
from backend.imports.plan import plan
from backend.store.sources import Source as Origin
from backend.store.table import Answer, Label
from config import ROOT
from IA.images.tiles import photo_of
from tests.examples import examples

DATA = ROOT / "tests" / "data"
NAMES: dict[Label, str] = {"positive": "hat", "negative": "no hat"}
FOLDER_NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=5)
PATHS = st.lists(FOLDER_NAMES.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map(
    lambda parts: "/".join(parts) + ".png"
)
ANSWERS = st.builds(
    Answer,
    id=st.uuids().map(str),
    path=PATHS,
    label=st.sampled_from(["positive", "negative", "skipped"]),
    source=st.sampled_from(get_args(Origin)),
    client=st.from_regex(r"[A-Za-z0-9_.:-]{1,8}", fullmatch=True),
    shown_ms=st.none() | st.integers(0, 10**6),
    probability=st.none() | st.floats(0, 1),
    time=st.integers(10**9, 2 * 10**9).map(float),
    checkpoint=st.none() | st.integers(0, 10**6),
)


def exported(
    format: str,
    answers: Sequence[Answer],
    folder: Path,
    is_rolled_up: bool = False,
    names: tuple[str, str] = ("hat", "no hat"),
) -> bytes:
    """An export of these answers, of images that are there."""
    picture = io.BytesIO()
    Image.new("RGB", (6, 4)).save(picture, "PNG")
    for answer in answers:
        file = folder / photo_of(answer.path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture.getvalue())
    pictures = Pictures(folder, None)
    source = Source(answers, *names, pictures, None, LOCAL_FILES, is_rolled_up)
    return b"".join(FORMATS[format].lines(source))


def imported(file: Path, answers: list[Answer], names: Mapping[Label, str] = NAMES) -> dict[str, Answer]:
    """What a run with the same images would take from this file."""
    planned = plan(read_labelled(file), Words(names), sorted({answer.path for answer in answers}), "/photos", {})
    return {answer.path: answer for answer in planned.answers(overwrite=False)}


def file_of(format: str, data: bytes, folder: Path) -> Path:
    """The file that is imported: of a zip its table of answers."""
    if format in {"folders", "imagefolder"}:
        [table] = [name for name in zipfile.ZipFile(io.BytesIO(data)).namelist() if name in TABLES]
        data, format = zipfile.ZipFile(io.BytesIO(data)).read(table), "csv"
    file = folder / {"csv": "a.csv", "jsonl": "a.jsonl"}.get(format, "a.json")
    file.write_bytes(data)
    return file


TABLES = {"answers.csv", "metadata.csv"}
NUMBERS = st.integers(0, 10**9)
SOME = st.lists(ANSWERS, min_size=1, max_size=6, unique_by=lambda answer: answer.path.casefold())
KEPT = ("label", "source", "client", "when", "shown_ms", "probability", "checkpoint")


@pytest.mark.parametrize("format", sorted(FORMATS))
@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=6, unique_by=lambda answer: answer.path.casefold()), number=NUMBERS
)
@settings(deadline=None, max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_out_comes_in_again(tmp_path: Path, format: str, answers: list[Answer], number: int) -> None:
    """The same labels for the same images and, but for Label Studio, who gave them, when, how and what was said."""
    folder = tmp_path / format / str(number)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    try:
        data = exported(format, answers, folder / "images")
    except (NotADirectoryError, IsADirectoryError, FileExistsError):
        return  # one image stands in the way of another's folder
    back = imported(file_of(format, data, folder), answers)
    assert {path: answer.label for path, answer in back.items()} == {answer.path: answer.label for answer in answers}
    if format != "label-studio":
        for answer in answers:
            assert [getattr(back[answer.path], name) for name in KEPT] == [getattr(answer, name) for name in KEPT]


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_labels_of_a_model_do_not_come_in(tmp_path: Path, format: str) -> None:
    """They are told, where the format says so, and are nobody's answers."""
    given = [Answer("1", "a.png", "positive", "key", "me"), Answer("2", "b.png", "negative", "model", "me", None, 0.1)]
    (tmp_path / "images").mkdir()
    file = file_of(format, exported(format, given, tmp_path / "images"), tmp_path)
    assert set(imported(file, given)) == {"a.png"}


@pytest.mark.parametrize("name", ["label_studio_export.json", "label_studio_export_min.json"])
def test_what_label_studio_itself_has_written(name: str) -> None:
    """Real exports of its server: the labels that it shows, skips too where it tells them."""
    file = DATA / name
    content = json.loads(file.read_bytes())
    labelled = read_labelled(file)
    paths = [task.get("data", task)["path"] for task in content]
    words = Words({"positive": "hat", "negative": 'no "hat" & <such>'})
    planned = plan(labelled, words, sorted(paths), "/photos", {})
    assert planned.matches.unknown == []
    expected = dict(_shown(content))
    assert planned.fresh == expected
    assert set(expected.values()) >= {"positive", "negative"}


def _shown(content: list[dict[str, object]]) -> Iterator[tuple[str, Label]]:
    for task in content:
        text = json.dumps(task.get("annotations", task.get("label")))
        data = task.get("data", task)
        assert isinstance(data, dict)
        if '"was_cancelled": true' in text:
            yield data["path"], "skipped"
        else:
            yield data["path"], "negative" if "no " in text else "positive"


def test_a_table_that_a_spreadsheet_has_saved(tmp_path: Path) -> None:
    """Semicolons, a byte order mark, other names of columns, decimals: what people's spreadsheets make of our CSV."""
    given = [Answer("1", "a b.png", "positive", "key", "me", 830, 0.25), Answer("2", "c.png", "negative", "key", "me")]
    (tmp_path / "images").mkdir()
    rows = list(csv.reader(io.StringIO(exported("csv", given, tmp_path / "images").decode())))
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.getvalue().encode())
    assert {path: answer.label for path, answer in imported(tmp_path / "a.csv", given).items()} == {
        "a b.png": "positive",
        "c.png": "negative",
    }


MISTAKABLE = [
    ("negative", "positive"),
    ("skipped", "done"),
    ("no", "yes"),
    ("Hat", "hat"),
    ("hat ", "hat"),
    ("caf\u00e9", "cafe\u0301"),
    ("hat", "skipped"),
    ("positive (negative)", "negative (positive)"),
    ("Version 2.0", "1.0"),
    ("Version 2", "0"),
]


@pytest.mark.parametrize("names", MISTAKABLE)
@pytest.mark.parametrize("format", sorted(FORMATS))
def test_whatever_the_answers_are_called(tmp_path: Path, format: str, names: tuple[str, str]) -> None:
    """Our own exports come back as they were, also of an older run whose names would be refused today."""
    given = [Answer(label, f"{label}.png", label, "key", "me") for label in get_args(Label)]
    data = exported(format, given, tmp_path / "images", names=names)
    called: dict[Label, str] = {"positive": names[0], "negative": names[1]}
    back = imported(file_of(format, data, tmp_path), given, called)
    assert {path: answer.label for path, answer in back.items()} == {answer.path: answer.label for answer in given}
