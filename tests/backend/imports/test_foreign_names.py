"""Names that other tools have changed: found where one image alone can be meant, told by which rule, never guessed."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.imports import read_labelled
from backend.imports.labelled import Labelled, Words
from backend.imports.matching import FOLDS, caseless, match
from backend.imports.plan import Plan, plan, report
from backend.store.table import Label
from tests.examples import examples

ACCENT, HANGUL = "caf\u00e9.jpg", "\ud55c\uad6d.jpg"
LOCAL = "/data/local-files/?d="


def decomposed(text: str) -> str:
    """As macOS stores it."""
    return unicodedata.normalize("NFD", text)


def planned(images: list[str], *paths: str) -> Plan:
    """What a file that calls these paths positive means for a run of these images."""
    return plan([Labelled(path, ("positive",)) for path in paths], Words(), images, "/photos", {})


@pytest.mark.parametrize(
    ("image", "path", "rules"),
    [
        (decomposed(ACCENT), ACCENT, {"unicode_form"}),
        (ACCENT, decomposed(ACCENT), {"unicode_form"}),
        (HANGUL, decomposed(HANGUL), {"unicode_form"}),
        (decomposed(f"sub/{HANGUL}"), f"/old/sub/{HANGUL}", {"unicode_form", "moved"}),
        ("Sub/A.JPG", "sub/a.jpg", {"case"}),
        ("Sub/A.JPG", "/old/sub/a.jpg", {"case", "moved"}),
        (decomposed("CAF\u00c9.jpg"), ACCENT, {"case"}),
        ("sub/c.jpg", "sub\\c.jpg", {"backslashes"}),
        ("sub/c.jpg", "C:\\photos\\sub\\c.jpg", {"backslashes", "moved"}),
        ("sub/c.jpg", "photos\\sub/c.jpg", {"moved"}),
        ("sub/c.jpg", f"{LOCAL}sub%5Cc.jpg", {"backslashes"}),
        ("sub/c.jpg", f"{LOCAL}photos\\sub\\c.jpg", {"backslashes", "moved"}),
        ("sub/c.jpg", f"{LOCAL}C%3A%5Cphotos%5Csub%5Cc.jpg", {"backslashes", "moved"}),
        ("\u00fc+1.jpg", f"{LOCAL}\u00fc+1.jpg", {"as_written"}),
        ("h#1.jpg", f"{LOCAL}h#1.jpg", {"as_written"}),
        ("a&b=c.jpg", f"{LOCAL}a&b=c.jpg", {"as_written"}),
        ("100%25.jpg", f"{LOCAL}100%25.jpg", {"as_written"}),
        ("h#1.jpg", "https://host/web/h#1.jpg", {"as_written", "moved"}),
        ("a b.jpg", f"{LOCAL}a+b.jpg", set()),
        ("a b.jpg", f"{LOCAL}a%20b.jpg", set()),
        ("caf\u00e9.jpg", "caf\udce9.jpg", {"cp1252"}),
        ("caf\u00e9.jpg", f"{LOCAL}caf%E9.jpg", {"cp1252"}),
        ("=1+1.jpg", "'=1+1.jpg", {"apostrophe"}),
    ],
)
def test_a_name_that_was_changed(image: str, path: str, rules: set[str]) -> None:
    """The one image that can be meant is found among others, and each rule that it took is counted."""
    found = planned([image, "other.jpg"], path)
    assert found.fresh == {image: "positive"}
    assert found.matches.rules == dict.fromkeys(rules, 1)


@pytest.mark.parametrize(
    ("images", "path"),
    [
        (["a.jpg", "A.jpg"], "a.JPG"),
        (["x/a.jpg", "X/a.jpg"], "/old/x/A.JPG"),
        (["a b.jpg", "a+b.jpg"], f"{LOCAL}a+b.jpg"),
        ([decomposed("CAF\u00c9.jpg"), "CAF\u00c9.jpg"], ACCENT),
    ],
)
def test_nothing_is_guessed(images: list[str], path: str) -> None:
    """A path that may mean two images means none, and is told."""
    found = planned(images, path)
    assert (found.fresh, len(found.matches.ambiguous)) == ({}, 1)


@pytest.mark.parametrize(
    ("images", "path", "image"),
    [
        (["a.jpg", "A.jpg"], "A.jpg", "A.jpg"),
        ([decomposed(ACCENT), ACCENT], ACCENT, ACCENT),
        (["a\\b.jpg", "a/b.jpg"], "a\\b.jpg", "a\\b.jpg"),
        (["'=a.jpg", "=a.jpg"], "'=a.jpg", "'=a.jpg"),
        (["a b.jpg", "a%20b.jpg"], f"{LOCAL}a%20b.jpg", "a b.jpg"),
        (["caf\udce9.jpg", ACCENT], "caf\udce9.jpg", "caf\udce9.jpg"),
    ],
)
def test_the_very_name_wins(images: list[str], path: str, image: str) -> None:
    """A looser rule counts only where the very name is of no image."""
    found = planned(images, path)
    assert (found.fresh, found.matches.rules) == ({image: "positive"}, {})


def test_two_names_of_one_image() -> None:
    """Where two names in the file become one by a rule, only the very name counts; with none of them, neither does."""
    found = planned(["a.jpg", "b.jpg"], "a.jpg", "A.jpg", "B.jpg", "b.JPG")
    assert found.fresh == {"a.jpg": "positive"}
    assert sorted(found.matches.claimed) == ["A.jpg", "B.jpg", "b.JPG"]


FOLDERS = ["x/a.jpg", "y/b.jpg", "z/c.jpg", "x/0.jpg", "y/0.jpg"]


@pytest.mark.parametrize("others", [(), ("x/0.jpg",), ("/old/x/0.jpg", "/old/y/0.jpg", "/old/z/none.jpg")])
def test_file_names_without_a_folder(others: tuple[str, ...]) -> None:
    """Each means the one image that has it, wherever that lies, whatever the other rows look like; it is told."""
    found = planned(FOLDERS, "a.jpg", "./b.jpg", "C.JPG", *others)
    assert found.fresh.keys() >= {"x/a.jpg", "y/b.jpg", "z/c.jpg"}
    assert found.matches.rules["name"] == 3
    assert "  3 paths were found by their names alone" in report(found, {}, overwrite=False)


def test_a_file_name_that_several_images_have() -> None:
    """It stays ambiguous, also where most other names are of one folder: not all of them are."""
    found = planned(FOLDERS, "x/0.jpg", "a.jpg", "b.jpg", "0.jpg")
    assert found.fresh.keys() == {"x/0.jpg", "x/a.jpg", "y/b.jpg"}
    found = planned([*FOLDERS, "x/d.jpg"], "a.jpg", "d.jpg", "b.jpg", "0.jpg")
    assert found.fresh.keys() == {"x/a.jpg", "x/d.jpg", "y/b.jpg"}
    assert found.matches.ambiguous == ["0.jpg"]
    assert "1 path may mean one image or another and is left out" in report(found, {}, overwrite=False)


def test_file_names_of_one_folder() -> None:
    """Where all names are of one folder it was labelled on its own, which tells images of the same name apart."""
    found = planned([*FOLDERS, "x/d.jpg"], "a.jpg", "d.jpg", "0.jpg")
    assert found.fresh.keys() == {"x/a.jpg", "x/d.jpg", "x/0.jpg"}


@pytest.mark.parametrize("others", [(), ("b.jpg", "c.jpg")])
def test_a_file_name_of_an_image_that_another_row_names(others: tuple[str, ...]) -> None:
    """The row with the folder counts alone: the bare name may be of an image elsewhere."""
    labelled = [Labelled("x/a.jpg", ("positive",)), Labelled("a.jpg", ("negative",))]
    labelled += [Labelled(other, ("positive",)) for other in others]
    found = plan(labelled, Words(), FOLDERS, "/photos", {})
    assert (found.fresh["x/a.jpg"], found.matches.claimed) == ("positive", ["a.jpg"])
    assert any(line.startswith("1 path fits an image only loosely, and") for line in report(found, {}, overwrite=False))


def test_a_file_name_in_another_folder() -> None:
    """Where the name fits, but the folder does not, the path is left out, and that is said."""
    found = planned(FOLDERS, "/photos/a.jpg", "/one/b.jpg", "/two/c.jpg", "/photos/0.jpg")
    assert (found.fresh, found.matches.ambiguous) == ({}, ["/photos/0.jpg"])
    assert found.matches.elsewhere == ["/photos/a.jpg", "/one/b.jpg", "/two/c.jpg"]
    lines = list(report(found, {}, overwrite=False))
    assert "3 paths have the file names of images, but other folders, and are left out" in lines


def test_rows_without_a_label(tmp_path: Path) -> None:
    """They are told apart from those with an unknown word, so that all rows are accounted for."""
    (tmp_path / "a.csv").write_text('path,label\na.jpg,yes\nb.jpg,\nc.jpg," "\nd.jpg,coat\n')
    labelled = read_labelled(tmp_path / "a.csv")
    found = plan(labelled, Words(), ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], "/photos", {})
    assert (found.unlabelled, found.unread) == (2, {"coat": 1})
    lines = list(report(found, {}, overwrite=False))
    assert "2 rows have no label" in lines
    assert "1 is left out, as it is not known what its word means; say it with --positive or --negative" in lines


def test_rules_are_told() -> None:
    """The command says how many paths were found by each rule."""
    lines = list(report(planned(["a.jpg", "b.jpg", ACCENT], "A.jpg", "B.jpg", decomposed(ACCENT)), {}, overwrite=False))
    assert "  2 paths were found in another case" in lines
    assert "  1 path was found in another Unicode form" in lines


def test_tiles_of_a_photo_whose_name_was_changed() -> None:
    """The mark of a tile stays what it is, behind whatever spelling of its photo."""
    tiles = [f"{decomposed(ACCENT)}#2x1-c{column}-r1" for column in (1, 2)]
    assert planned(tiles, f"{ACCENT}#2x1-c2-r1").fresh == {tiles[1]: "positive"}


NAMES = st.text(st.sampled_from("aA\u00e9\u0301e\u00df\u1e9es\\ +#"), min_size=1, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=2).map("/".join)


@given(images=st.sets(PATHS, min_size=1, max_size=6), paths=st.sets(PATHS, min_size=1, max_size=6))
@settings(deadline=None, max_examples=examples(150))
def test_any_names(images: set[str], paths: set[str]) -> None:
    """Whatever names there are: one that is there means itself, and no two names that differ mean one image."""
    matches = match(sorted(paths), sorted(images), "/new")
    for path, image in matches.images.items():
        assert path == image or path not in images
    loose = [image for path, image in matches.images.items() if path != image]
    assert matches.move or len(loose) == len(set(loose))
    left_out = [*matches.unknown, *matches.ambiguous, *matches.elsewhere, *matches.claimed]
    assert sorted([*matches.images, *left_out]) == sorted(paths)
    assert all(fold("") == "" for _, fold in FOLDS)
    assert caseless("\u00c9") == caseless("e\u0301")


def tasks(folder: Path, data: dict[str, object]) -> list[Labelled]:
    """What a file of Label Studio with this one task says."""
    result = [{"type": "choices", "value": {"choices": ["positive"]}}]
    (folder / "a.json").write_text(json.dumps([{"id": 1, "data": data, "annotations": [{"result": result}]}]))
    return read_labelled(folder / "a.json")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"site": "North", "img": "/data/upload/3/0a1b2c3d-b.jpg"}, {"b.jpg": "positive"}),
        ({"site": "North", "image": "a.jpg"}, {"a.jpg": "positive"}),
        ({"site": "b.jpg", "image": "a.jpg"}, {"a.jpg": "positive"}),
        ({"thumb": "small/a.jpg", "photo": "b.jpg"}, {}),
        ({"thumb": "none.jpg", "photo": "b.jpg"}, {"b.jpg": "positive"}),
    ],
)
def test_the_field_of_a_task(tmp_path: Path, data: dict[str, object], expected: dict[str, Label]) -> None:
    """The image is what ends as one, whatever its field is called; of two that are images here, neither is taken."""
    images = ["a.jpg", "b.jpg", "small/a.jpg"]
    found = plan(tasks(tmp_path, data), Words(), images, "/photos", {})
    assert found.fresh == expected


def test_a_task_that_names_its_image_elsewhere_is_told(tmp_path: Path) -> None:
    """That it was another field is a rule as others are."""
    found = plan(tasks(tmp_path, {"site": "North", "img": "a.jpg"}), Words(), ["a.jpg"], "/photos", {})
    assert found.matches.rules == {"field": 1}
