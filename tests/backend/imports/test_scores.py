"""Scores that a person has already: tables as they come, matched to images, and said how they were read."""

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.images.images import Images
from backend.imports import score_search
from backend.imports.scores import ScoresFound, check_scores, number, read_scores
from config import UsageError
from IA.images.tiles import Grid
from tests.examples import examples
from tests.serving import until

NAMES = ("a.jpg", "b.jpg", "caf\u00e9.jpg", "x/c.jpg", "x/d.jpg", "y/e.jpg", "y/a.jpg")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """Seven images in three folders."""
    yield from listed(tmp_path_factory.mktemp("whole"), None)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    """The same, each cut into two."""
    yield from listed(tmp_path_factory.mktemp("tiles"), Grid(2, 1))


def listed(place: Path, grid: Grid | None) -> Iterator[Images]:
    """The images of a folder, when all of them are published."""
    run, datadir = place / "run", (place / "data").resolve()
    run.mkdir()
    for name in NAMES:
        (datadir / name).parent.mkdir(parents=True, exist_ok=True)
        (datadir / name).write_bytes(b"")
    found = Images(run, datadir, grid=grid)
    found.start()
    until(lambda: not found.listing and found.published == len(NAMES) * found.tiles)
    yield found
    found.close()


def read(file: Path, content: str | bytes, images: Images) -> tuple[ScoresFound, dict[str, float]]:
    """What a file of this content has for the images, and each score by its image."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    found = read_scores(file, images, threading.Event())
    numbers, scores = list(found.scores.images), list(found.scores.scores)
    found.scores.check()
    return found, {images.path(number): round(score, 5) for number, score in zip(numbers, scores, strict=True)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "path,score\na.jpg,.25\nx/c.jpg,0.5\n"),
        ("a.csv", "path;score\na.jpg;0,25\nx/c.jpg;0,5\n"),
        ("a.csv", "path,score\na.jpg,0,25\nx/c.jpg,0,5\n"),
        ("a.csv", "a.jpg;0,25\nx/c.jpg;0,5\n"),
        ("a.csv", "a.jpg,0.25\nx/c.jpg,0.5\n"),
        ("a.csv", "0.25,a.jpg\n0.5,x/c.jpg\n"),
        ("a.tsv", "File\tother\tConfidence\na.jpg\tyes\t25%\nx/c.jpg\tno\t50 %\n"),
        ("a.csv", "sep=;\r\nprobability;image;note\r\n0.25;a.jpg;\r\n0.5;x/c.jpg;b\r\n"),
        ("a.csv", "\ufeff path , Score \r\n a.jpg,.25\r\n\r\nx/c.jpg,5e-1\r\n"),
        ("a.jsonl", '{"path": "a.jpg", "score": 0.25}\n\n{"score": 0.5, "path": "x/c.jpg"}\n'),
        ("a.ndjson", '{"file": "a.jpg", "p": "0.25"}\n{"file": "./x/c.jpg", "p": 0.5}\n'),
        ("a.csv", "path,score\nD:\\photos\\a.jpg,.25\nD:\\photos\\x\\c.jpg,.5\n"),
        ("a.csv", "path,score\n/old/place/a.jpg,.25\n/old/place/x/c.jpg,.5\n"),
        ("a.csv", "path,score\nA.JPG,.25\nc.jpg,.5\n"),
    ],
)
def test_tables_as_they_come(tmp_path: Path, images: Images, name: str, content: str) -> None:
    """Whatever the separators, headers, numbers and paths, the same two images get the same scores."""
    check_scores_of(tmp_path / name, content)
    found, scores = read(tmp_path / name, content, images)
    assert scores == {"a.jpg": 0.25, "x/c.jpg": 0.5}
    percent = ", 1 % as 0.01" if "%" in content else ""
    assert found.sentence() == (f"{name}: 2 of 7 images have a score from 0.25 to 0.5, read as probabilities{percent}.")
    assert (found.unknown, found.twice, found.no_number) == (0, 0, 0)


def check_scores_of(file: Path, content: str) -> None:
    """Look at a file of this content."""
    file.write_bytes(content.encode())
    check_scores(file)


def test_encodings(tmp_path: Path, images: Images) -> None:
    """A spreadsheet's encoding does not matter for names with accents, in either Unicode form."""
    text = "path\tscore\ncaf\u00e9.jpg\t1\ny/e.jpg\t2\n"
    for data in (text.encode("utf-16"), text.encode("cp1252"), text.replace("\u00e9", "e\u0301").encode()):
        assert read(tmp_path / "a.csv", data, images)[1] == {"caf\u00e9.jpg": 1, "y/e.jpg": 2}


def test_absolute_paths(tmp_path: Path, images: Images) -> None:
    """A path below the folder of images is that image; the same name elsewhere is none."""
    content = f"path,score\n{images.datadir}/y/a.jpg,1\n{images.datadir}/x/a.jpg,2\n"
    found, scores = read(tmp_path / "a.csv", content, images)
    assert scores == {"y/a.jpg": 1}
    assert found.unknown == 1


def test_odd_rows(tmp_path: Path, images: Images) -> None:
    """What is no number, came twice or means nothing here is counted and said; everything else holds."""
    content = (
        "path,score\na.jpg,-3\nb.jpg,nan\nb.jpg,\nx/c.jpg,inf\nx/d.jpg,high\nx/d.jpg,1e999\n"
        "y/e.jpg,1\ny/e.jpg,12\nx/d.jpg,4\nx/d.jpg,4.0\nnowhere.jpg,1\n,5\nx/d.jpg\n"
    )
    found, scores = read(tmp_path / "a.csv", content, images)
    assert scores == {"a.jpg": -3, "x/d.jpg": 4, "y/e.jpg": 12}
    assert (found.unknown, found.twice, found.no_number) == (2, 1, 6)
    assert found.sentence() == (
        "a.csv: 3 of 7 images have a score from -3 to 12, read as an order, the highest first; 2 rows name no single "
        "image (such as 'nowhere.jpg'); 1 image has two scores, of which the last counts; 6 scores are no number."
    )


def test_two_scores_by_different_names(tmp_path: Path, images: Images) -> None:
    """The later row counts, also where the earlier one has the exact name and the later one does not."""
    found, scores = read(tmp_path / "a.csv", f"path,score\nx/d.jpg,1\nd.jpg,2\n{images.datadir}/x/c.jpg,3\n", images)
    assert scores == {"x/d.jpg": 2, "x/c.jpg": 3}
    assert found.twice == 1
    assert read(tmp_path / "a.csv", "path,score\nd.jpg,2\nx/d.jpg,1\n", images)[1] == {"x/d.jpg": 1}


def test_bad_lines(tmp_path: Path, images: Images) -> None:
    """A line that is cut short costs no other line."""
    content = '{"path": "a.jpg", "score": NaN}\n[1]\n{"path": "b.jpg", "score": 1}\n{"path": "x/c.j'
    found, scores = read(tmp_path / "a.jsonl", content, images)
    assert scores == {"b.jpg": 1}
    assert (found.no_number, found.bad) == (1, 2)
    assert "always 1, which puts none before another" in found.sentence()
    assert "2 lines are no JSON object" in found.sentence()


def test_foreign_table(tmp_path: Path, images: Images) -> None:
    """Scores of other images change nothing, and the sentence says so and names one."""
    found, scores = read(tmp_path / "a.csv", "path,score\nq/r.jpg,1\nq/s.jpg,2\n", images)
    assert scores == {}
    assert not found.is_of_use
    assert found.sentence() == (
        "a.csv: no row gives an image of this folder a score; 2 rows name no single image (such as 'q/r.jpg'); "
        "the order stays as it was."
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "", "it is empty"),
        ("a.csv", "path,score\n", "it has no rows"),
        ("a.csv", "path,colour\na.jpg,red\n", "no column names the scores .there are path, colour."),
        ("a.csv", "photo nr,score\n1,2\n", "no column names the images .there are photo nr, score."),
        ("a.csv", "just text\n", "no column names the images"),
        ("a.jsonl", "path,score\na.jpg,1\n", "it has no rows"),
        ("a.xlsx", "PK", r"ends in none of .csv, .tsv, .jsonl, .ndjson"),
        ("a.csv", "\x00\x01\x02\n", "no column names the images"),
    ],
)
def test_no_table(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    """A file that cannot be meant is refused in one sentence that says what to give."""
    with pytest.raises(UsageError, match=sentence) as refused:
        check_scores_of(tmp_path / name, content)
    assert "give it two columns, path and score" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_file(tmp_path: Path) -> None:
    """A folder or a missing file is refused in one sentence."""
    for path in (tmp_path / "none.csv", tmp_path / "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match=r"cannot be read: .*; name another file with --scores"):
            check_scores(path)


def test_tiles(tmp_path: Path, tiles: Images) -> None:
    """A row may mean one tile; a row about a photo means all its tiles that have no row of their own."""
    content = (
        "path,tile,score\na.jpg#2x1-c2-r1,,1\na.jpg,,5\nx/c.jpg,2x1-c1-r1,3\n"
        "/old/y/e.jpg,,7\n/old/y/a.jpg,2x1-c1-r1,8\n"
    )
    found, scores = read(tmp_path / "a.csv", content, tiles)
    assert scores == {
        "a.jpg#2x1-c1-r1": 5,
        "a.jpg#2x1-c2-r1": 1,
        "x/c.jpg#2x1-c1-r1": 3,
        "y/e.jpg#2x1-c1-r1": 7,
        "y/e.jpg#2x1-c2-r1": 7,
        "y/a.jpg#2x1-c1-r1": 8,
    }
    assert found.unknown == 0


def test_long_tables_are_matched_in_batches(tmp_path: Path, images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move that the first rows show holds for those after them, however few rows are kept at a time."""
    monkeypatch.setattr(score_search, "BATCH", 2)
    monkeypatch.setattr(score_search, "MOST_IN_VAIN", 1)
    rows = "".join(f"/old/{name},{place}\n" for place, name in enumerate(NAMES[3:]))
    found, scores = read(tmp_path / "a.csv", f"path,score\n{rows}/old/x/none.jpg,1\n", images)
    assert scores == dict(zip(NAMES[3:], range(4), strict=True))
    assert found.unknown == 1
    foreign = "".join(f"/new/place{place}/a.jpg,1\n" for place in range(5))
    found, scores = read(tmp_path / "a.csv", f"path,score\n{foreign}b.jpg,2\nC.JPG,3\n", images)
    assert scores == {"b.jpg": 2}  # C.JPG alone would be x/c.jpg, had the batches before it found anything
    assert found.unknown == 6


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        *((" 0.5 ", 0.5), ("0,5", 0.5), ("50 %", 0.5), ("12,5%", 0.125), ("1.234,5", 1234.5), ("1,234.5", 1234.5)),
        *(("1,234,567", 1234567.0), ("-1e-3", -0.001), ("\u22122", -2.0), (7, 7.0), (0.25, 0.25), ("+3", 3.0)),
        *(("nan", None), ("inf", None), ("-inf", None), ("", None), ("%", None), ("1_0", None), (True, None)),
        *((None, None), ([1], None), (math.nan, None), (10**400, None), ("1e39", None), ("0,5,x", None)),
    ],
)
def test_numbers(cell: object, value: float | None) -> None:
    """A number counts as a person writes it; what is no finite number is none."""
    assert number(cell) == (None if value is None else pytest.approx(value))


CELLS = st.one_of(
    st.sampled_from(
        [*NAMES, "c.jpg", "/old/x/c.jpg", "C:\\x\\c.jpg", "a.jpg#2x1-c1-r1", "0,5", "nan", "", "path", "score"]
    ),
    st.floats().map(str),
    st.text(max_size=8),
)


@settings(deadline=None, max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, max_size=4), max_size=8), separator=st.sampled_from(",;\t"), cut=st.integers(0, 9))
def test_any_table(tmp_path: Path, images: Images, rows: list[list[str]], separator: str, cut: int) -> None:
    """Any text gives scores of images that are there, or one sentence; and every row is read or counted."""
    data = "\n".join(separator.join(row) for row in rows).encode("utf-8", "surrogatepass")
    header = f"path{separator}score\n".encode()
    found, scores = read(tmp_path / "a.csv", header + data[: max(0, len(data) - cut)], images)
    assert set(scores) <= set(NAMES)
    assert all(map(math.isfinite, scores.values()))
    assert "\n" not in found.sentence()
    assert len(scores) + found.unknown + found.no_number <= found.rows
