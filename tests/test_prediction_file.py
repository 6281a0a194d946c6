"""Rows of predictions, and files that are gone on with."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import UsageError
from IA.prediction_file import FORMATS, PredictionFile, Row

NAMES = ["a.png", 'b "c", d.png', "line\nbreak.png", "\n\n", "帽子.png", "\udcff\udcfe.png", '"']
ROWS = [Row(name, math.nan if name == '"' else 0.25, "unreadable" if name == '"' else "hat") for name in NAMES]


def written(path: Path, rows: list[Row]) -> bytes:
    """A file of these rows."""
    file = PredictionFile(path)
    file.write(rows)
    file.close()
    return path.read_bytes()


def read(path: Path) -> PredictionFile:
    """The same file, read and closed."""
    file = PredictionFile(path)
    file.close()
    return file


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_ended_at_any_byte_is_gone_on_with(tmp_path: Path, suffix: str) -> None:
    """What was whole is kept, what was torn is done again: the outcome is the same file, wherever it was cut."""
    path = tmp_path / f"rows{suffix}"
    whole = written(path, ROWS)
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        file = PredictionFile(path)
        assert list(file.labels) == NAMES[: len(file.labels)]
        file.write(row for row in ROWS if row.path not in file.labels)
        file.close()
        assert path.read_bytes() == whole
    assert read(path).labels == {row.path: row.label for row in ROWS}


NAME = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(st.tuples(NAME, st.floats(0, 1) | st.just(math.nan)), unique_by=lambda row: row[0]))
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_read(rows: list[tuple[str, float]]) -> None:
    """Any name in either format."""
    for form in FORMATS.values():
        for path, probability in rows:
            record = form.encode([Row(path, probability, "hat")])
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
        ("a.txt", b""),
    ],
)
def test_a_foreign_file_is_left_alone(tmp_path: Path, name: str, content: bytes) -> None:
    """One sentence, and not a byte of it changes."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="name "):
        PredictionFile(tmp_path / name)
    assert (tmp_path / name).read_bytes() == content


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """The second is told so; when the first is done it may."""
    first = PredictionFile(tmp_path / "a.csv")
    with pytest.raises(UsageError, match="Another process"):
        PredictionFile(tmp_path / "a.csv")
    first.write(ROWS[:1])
    first.close()
    assert list(read(tmp_path / "a.csv").labels) == ["a.png"]


def test_the_least_sure_rows_are_remembered(tmp_path: Path) -> None:
    """They tell one predictor from another."""
    rows = [Row(str(number), number / 100, "hat") for number in range(101)]
    written(tmp_path / "a.csv", [*rows, Row("torn", math.nan, "unreadable")])
    assert {row.path for row in read(tmp_path / "a.csv").doubtful} <= {"48", "49", "50", "51", "52"}
