"""What each format of labels says of images, and that no file, however odd, ends with more than a sentence."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.imports import read_labelled
from backend.imports.addresses import path_of
from backend.imports.folders import class_folders
from backend.imports.labelled import Words
from backend.imports.plan import plan
from backend.store.table import Label
from tests.examples import examples

Labels = dict[str, Label]


def labels_in(path: Path, words: Words | None = None, **columns: str) -> Labels:
    """The labels that a file gives to the images it names, all of which are there."""
    labelled = read_labelled(path, **columns)
    planned = plan(labelled, words or Words(), sorted({path_of(said.path) for said in labelled}), "/photos", {})
    return planned.fresh


def written(path: Path, content: object) -> Path:
    """A file of text or JSON."""
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


ROWS = [{"path": "a.jpg", "label": True}, {"path": "b/c.jpg", "label": 0}, {"path": "d.jpg", "label": "skipped"}]
JSON_MIN = [
    {"image": "/data/local-files/?d=a.jpg", "choice": "hat"},
    {"image": "b/c.jpg", "choice": {"choices": ["no hat"]}},
    {"image": "d.jpg", "choice": ["skipped"]},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "path,label\na.jpg,positive\nb/c.jpg,negative\nd.jpg,skipped\n"),
        ("a.csv", "\ufeffImage;Class\na.jpg;True\nb/c.jpg;0\nd.jpg;skipped\n"),
        ("a.tsv", "id\tfile_name\tchoice\n1\ta.jpg\tHat\n2\tb/c.jpg\tno hat\n3\td.jpg\tSKIPPED\n"),
        ("a.csv", 'label,"path"\n1,"a.jpg"\n0.0,"b/c.jpg"\nskipped,d.jpg\n'),
        ("a.jsonl", "\n\n".join(map(json.dumps, ROWS))),
        ("a.json", '{"a.jpg": "hat", "b/c.jpg": false, "d.jpg": "skipped"}'),
        ("a.json", json.dumps(JSON_MIN)),
    ],
)
def test_tables(tmp_path: Path, name: str, text: str) -> None:
    """The image and its class are found by the usual names of columns, in any of the usual words."""
    words = Words({"positive": "hat", "negative": "no hat"})
    expected = {"a.jpg": "positive", "b/c.jpg": "negative", "d.jpg": "skipped"}
    assert labels_in(written(tmp_path / name, text), words) == expected


def test_columns_and_words_of_ones_own(tmp_path: Path) -> None:
    """Columns and classes with other names are said; words that mean nothing are told, and nothing is guessed."""
    file = written(tmp_path / "a.csv", "shot,animal\na.jpg,Lynx\nb.jpg,hare\nc.jpg,\n")
    with pytest.raises(ValueError, match=r"names the images \(there are shot, animal\)"):
        labels_in(file)
    columns = {"path_column": "shot", "label_column": "animal"}
    planned = plan(read_labelled(file, **columns), Words(), ["a.jpg", "b.jpg", "c.jpg"], "/photos", {})
    assert (planned.fresh, dict(planned.unread), planned.unlabelled) == ({}, {"Lynx": 1, "hare": 1}, 1)
    assert labels_in(file, Words(positive=["lynx"]), **columns) == {"a.jpg": "positive"}
    assert labels_in(file, Words(positive=["lynx"], negative=["hare"]), **columns) == {
        "a.jpg": "positive",
        "b.jpg": "negative",
    }
    rest = labels_in(file, Words(positive=["lynx"], negative=["*"]), **columns)
    assert rest == {"a.jpg": "positive", "b.jpg": "negative", "c.jpg": "negative"}


def task(address: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """A task of Label Studio."""
    return {"id": 1, "data": {"image": address}, "annotations": list(annotations), "predictions": [choice("hat")]}


def choice(word: str, **more: Any) -> dict[str, Any]:
    """An annotation of it."""
    return {"result": [{"type": "choices", "value": {"choices": [word]}}], "was_cancelled": False} | more


def test_label_studio(tmp_path: Path) -> None:
    """Tasks: choices, skips, who and how long; what a model predicted is no label."""
    content = [
        task("/data/local-files/?d=photos%2Fa%20b.jpg", choice("hat", completed_by=7, lead_time=1.5)),
        task("/data/upload/3/0a1b2c3d-c.jpg", choice("no hat", completed_by={"id": 1, "email": "x@y.z"})),
        task("s3://bucket/d.jpg", choice("hat", was_cancelled=True)),
        task("http://host/e.jpg"),
        task("f.jpg", choice("hat"), choice("hat", completed_by=2)),
        task("g.jpg", choice("hat"), choice("no hat")),
    ]
    file = written(tmp_path / "a.json", content)
    words = Words({"positive": "hat", "negative": "no hat"})
    assert labels_in(file, words) == {
        "photos/a b.jpg": "positive",
        "/data/upload/3/c.jpg": "negative",
        "/d.jpg": "skipped",
        "f.jpg": "positive",
    }
    first = read_labelled(file)[0]
    assert (first.annotator, first.shown_ms) == ("7", 1500)
    planned = plan(read_labelled(file), words, ["g.jpg"], "/photos", {})
    assert planned.contradictions == ["g.jpg"]


def test_coco(tmp_path: Path) -> None:
    """Positive if any annotation is; without one an image says nothing, unless all others are negative."""
    content = {
        "images": [{"id": number, "file_name": f"{number}.jpg"} for number in range(4)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 2, "bbox": [0, 0, 1, 1]},
            {"id": 2, "image_id": 0, "category_id": 1},
            {"id": 3, "image_id": 1, "category_id": 2},
        ],
    }
    file = written(tmp_path / "a.json", content)
    assert labels_in(file, Words(positive=["cat"])) == {"0.jpg": "positive"}
    assert labels_in(file, Words(positive=["cat"], negative=["dog"])) == {"0.jpg": "positive", "1.jpg": "negative"}
    assert len(labels_in(file, Words(positive=["cat"], negative=["*"]))) == 4
    with pytest.raises(ValueError, match="no good COCO"):
        read_labelled(written(tmp_path / "b.json", content | {"categories": []}))


def test_class_folders() -> None:
    """Folders at any depth; an image in folders of both classes is told, and the rest may be named."""
    images = ["hat/a.jpg", "x/hat/b.jpg", "hats/c.jpg", "coat/d.jpg", "hat/coat/e.jpg", "f.jpg"]
    folders: dict[Label, list[str]] = {"positive": ["hat"], "negative": ["coat"]}
    planned = plan(class_folders(images, folders), Words(), images, "/photos", {})
    assert planned.fresh == {"hat/a.jpg": "positive", "x/hat/b.jpg": "positive", "coat/d.jpg": "negative"}
    assert planned.contradictions == ["hat/coat/e.jpg"]
    planned = plan(class_folders(images, {"positive": ["hat"], "negative": ["*"]}), Words(), images, "/photos", {})
    assert planned.fresh["f.jpg"] == planned.fresh["hats/c.jpg"] == "negative"
    with pytest.raises(ValueError, match="no image lies in a folder 'lynx'"):
        list(class_folders(images, {"positive": ["lynx"]}))


def test_labels_of_a_model_are_no_answers(tmp_path: Path) -> None:
    """What our own export says that a model labelled is counted, and not taken for a person's."""
    text = "path,label,source,time,shown_ms,probability,audit,checkpoint,annotator\n"
    text += "a.jpg,positive,key,2026-01-02T03:04:05.678Z,830,0.25,false,7,me\nb.jpg,positive,model,,,0.9,false,8,\n"
    planned = plan(read_labelled(written(tmp_path / "a.csv", text)), Words(), ["a.jpg", "b.jpg"], "/photos", {})
    assert (planned.fresh, planned.by_model) == ({"a.jpg": "positive"}, 1)
    [answer] = planned.answers(overwrite=False)
    assert (answer.source, answer.client, answer.when) == ("key", "me", "2026-01-02T03:04:05.678Z")
    assert (answer.shown_ms, answer.probability, answer.checkpoint) == (830, 0.25, 7)


def test_values_that_cannot_be_are_dropped(tmp_path: Path) -> None:
    """A time, a probability, a name or a source that no answer can have does not spoil the label."""
    text = "path,label,source,time,shown_ms,probability,checkpoint,annotator\n"
    text += "a.jpg,positive,magic,yesterday,-5,7,nan,a b/c\n"
    planned = plan(read_labelled(written(tmp_path / "a.csv", text)), Words(), ["a.jpg"], "/photos", {})
    [answer] = planned.answers(overwrite=False)
    assert (answer.source, answer.client, answer.shown_ms) == ("import", "import", None)
    assert (answer.probability, answer.checkpoint) == (None, None)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("a b%20.jpg", "a b%20.jpg"),
        ("C:\\me\\a.jpg", "C:/me/a.jpg"),
        ("me\\a.jpg", "me/a.jpg"),
        ("file:///me/a%20b.jpg", "/me/a b.jpg"),
        ("https://host:8080/data/local-files/?d=me/a.jpg", "me/a.jpg"),
        ("/data/upload/12/deadbeef-a-b.jpg", "/data/upload/12/a-b.jpg"),
        ("gs://bucket/deadbeef-a.jpg", "/deadbeef-a.jpg"),
        ("http://[bad/a.jpg", "http://[bad/a.jpg"),
    ],
)
def test_addresses(address: str, path: str) -> None:
    """Each kind of address gives the path in it."""
    assert path_of(address) == path


# fmt: off
WORDS_IN_USE = [
    "data", "image", "annotations", "result", "value", "choices", "was_cancelled", "completed_by",
    "lead_time", "updated_at", "images", "categories", "id", "name", "file_name", "image_id", "category_id",
    "path", "label", "source", "time", "shown_ms", "probability",
]
# fmt: on
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS_IN_USE) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(content=JSON)
@settings(deadline=None, max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json(tmp_path: Path, content: Any) -> None:
    """Whatever JSON says, it is labels or a ValueError."""
    for name, text in (("a.json", json.dumps(content)), ("a.jsonl", json.dumps(content))):
        try:
            planned = plan(read_labelled(written(tmp_path / name, text)), Words(), ["a.jpg"], "/photos", {})
        except ValueError:
            continue
        planned.answers(overwrite=True)


@given(data=st.binary(max_size=200), suffix=st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".pickle"]))
@settings(deadline=None, max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(tmp_path: Path, data: bytes, suffix: str) -> None:
    """Whatever a file holds, it is labels or a ValueError."""
    file = tmp_path / f"a{suffix}"
    file.write_bytes(data)
    with contextlib.suppress(ValueError):
        read_labelled(file)
