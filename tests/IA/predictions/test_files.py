"""Rows of predictions, and files that are gone on with."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import UsageError
from IA.images.tiles import Grid
from IA.predictions.files import COLUMNS, FORMATS, KINDS, OF_PHOTOS, OF_TILES, PredictionFile, PredictionRow
from tests.examples import examples

NAMES = ["a.png", 'b "c", d.png', "line\nbreak.png", "\n\n", "帽子.png", "\udcff\udcfe.png", '"']


def row_of(name: str, columns: tuple[str, ...]) -> PredictionRow:
    """A row of this kind about a photo or a tile of it."""
    if name == '"':
        return PredictionRow(name, math.nan, "unreadable")
    if columns == OF_TILES:
        return PredictionRow(f"{name}#3x2-c3-r1", 0.25, "hat")
    return PredictionRow(name, 0.25, "hat", tile="3x2-c1-r2" if columns == OF_PHOTOS else "")


ROWS = [row_of(name, COLUMNS) for name in NAMES]


def written(path: Path, rows: list[PredictionRow], columns: tuple[str, ...] = COLUMNS) -> bytes:
    """A file with these rows."""
    file = PredictionFile(path, columns)
    file.write(rows)
    file.close()
    return path.read_bytes()


def read(path: Path) -> PredictionFile:
    """The same file, opened again and closed."""
    file = PredictionFile(path)
    file.close()
    return file


@pytest.mark.parametrize("columns", KINDS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_ended_at_any_byte_is_gone_on_with(tmp_path: Path, suffix: str, columns: tuple[str, ...]) -> None:
    """Whole rows are kept and a torn one is made again, so the outcome is the same file wherever it was cut."""
    path, rows = tmp_path / f"rows{suffix}", [row_of(name, columns) for name in NAMES]
    whole = written(path, rows, columns)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        file = PredictionFile(path, columns)
        assert list(file.labels) == [row.path for row in rows][: len(file.labels)]
        file.write(row for row in rows if row.path not in file.labels)
        file.close()
        assert path.read_bytes() == whole
    file = PredictionFile(path, columns)
    file.close()
    assert file.labels == {row.path: row.label for row in rows}
    assert file.grids == {None if columns == COLUMNS else Grid(3, 2)}


@pytest.mark.parametrize("columns", KINDS)
@pytest.mark.parametrize("other", KINDS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_rows_of_two_kinds_are_never_in_one_file(
    tmp_path: Path, suffix: str, columns: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """A file with rows of one kind refuses rows of another kind."""
    path = tmp_path / f"rows{suffix}"
    whole = written(path, [row_of("a.png", columns)], columns)
    if columns == other:
        PredictionFile(path, other).close()
    else:
        with pytest.raises(UsageError, match=f"no file of {KINDS[other]} from byte 0 on"):
            PredictionFile(path, other)
    assert path.read_bytes() == whole


def test_columns_that_do_not_agree_are_no_row(tmp_path: Path) -> None:
    """The columns for photo and tile must agree with the path."""
    for row in ("a.png#3x2-c3-r1,0.5,hat,b.png,3x2-c3-r1", "a.png#3x2-c3-r1,0.5,hat,a.png,3x2-c1-r1"):
        (tmp_path / "a.csv").write_text(f"{','.join(OF_TILES)}\n{row}\n")
        with pytest.raises(UsageError, match="no file of predictions of tiles"):
            PredictionFile(tmp_path / "a.csv", OF_TILES)


NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(NAME, st.floats(0, 1) | st.just(math.nan)), unique_by=lambda row: row[0]))
@settings(max_examples=examples(50), deadline=None)
def test_what_is_written_is_read(rows: list[tuple[str, float]]) -> None:
    """Any name survives in either format."""
    for form in (form(columns) for form in FORMATS.values() for columns in KINDS):
        for path, probability in rows:
            record = form.encode([PredictionRow(path, probability, "hat")])
            back = form.decode(record)
            assert (back.path, back.label) == (path, "hat")
            assert math.isnan(back.probability) == math.isnan(probability)
            assert math.isnan(probability) or abs(back.probability - probability) < 1e-6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"name,score\n"),
        ("a.csv", b"path,probability,label\na,b,c\n"),
        ("a.csv", b"path,probability,label\na,0.5\n"),
        ("a.csv", b'path,probability,label\n"' + b"a\n" * 100_000),
        ("a.jsonl", b"[1]\n"),
        ("a.jsonl", b"my notes\n"),
        ("a.jsonl", b'{"path": "a", "probability": [], "label": "hat"}\n'),
        ("a.jsonl", b'{"path": "a", "probability": 0.5, "label": "hat", "score": 1}\n'),
        ("a.txt", b""),
    ],
)
def test_a_foreign_file_is_left_alone(tmp_path: Path, name: str, content: bytes) -> None:
    """A foreign file causes one sentence, and no byte of it changes."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="name "):
        PredictionFile(tmp_path / name)
    assert (tmp_path / name).read_bytes() == content


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused until the first one is done."""
    first = PredictionFile(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="Another process"):
        PredictionFile(tmp_path / "a.csv")
    first.write(ROWS[:1])
    first.close()
    assert list(read(tmp_path / "a.csv").labels) == ["a.png"]


def test_the_least_sure_rows_are_remembered(tmp_path: Path) -> None:
    """The rows with a probability nearest to 0.5 are kept, because they tell one predictor from another."""
    rows = [PredictionRow(str(number), number / 100, "hat") for number in range(101)]
    written(tmp_path / "a.csv", [*rows, PredictionRow("torn", math.nan, "unreadable")])
    assert {row.path for row in read(tmp_path / "a.csv").doubtful} <= {"48", "49", "50", "51", "52"}
