"""Tables as spreadsheets write them, and back: encodings, separators, empty rows, and cells that would be run."""

import codecs
import contextlib
import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.exports.csv import csv_line
from backend.images.names import displayed
from backend.imports import read_labelled
from backend.imports.labelled import Words
from backend.imports.plan import plan
from backend.store.table import Answer
from IA.predictions.files import COLUMNS, FORMATS, PredictionRow
from IA.text.cells import FORMULA, harmless, plain
from tests.backend.exports.test_round_trip import exported, file_of, imported
from tests.examples import examples

IMAGES = ["a.jpg", "caf\u00e9.jpg", "\u20ac\u2026.jpg"]
TABLE = "path,label\r\na.jpg,positive\r\ncaf\u00e9.jpg,M\u00fctze\r\n\u20ac\u2026.jpg,negative\r\n"
EXPECTED = {"a.jpg": "positive", "caf\u00e9.jpg": "positive", "\u20ac\u2026.jpg": "negative"}


def fresh(file: Path, data: bytes) -> object:
    """What a file means for a run of these images."""
    file.write_bytes(data)
    words = Words({"positive": "M\u00fctze", "negative": "keine"})
    return plan(read_labelled(file), words, IMAGES, "/photos", {}).fresh


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (b"", "cp1252"),
    ],
)
def test_encodings_and_separators(tmp_path: Path, separator: str, mark: bytes, encoding: str) -> None:
    """Whatever a spreadsheet was told to write, the same labels come in."""
    text = TABLE.replace(",", separator)
    assert fresh(tmp_path / "a.csv", mark + text.encode(encoding)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\npath;label\r\na.jpg;positive\r\n",
        '"sep=|"\r\npath|label\r\na.jpg|positive\r\n',
        "path;label\r\na.jpg;positive\r\n;\r\n;\r\n",
        "\r\npath,label\na.jpg,positive\n,\n , \n\n",
        'path,label,note\na.jpg,positive,"two\r\nlines; of, text"\n',
        '"path";"a,b,c,d";"label"\r\na.jpg;;positive\r\n',
        "PATH , Label\na.jpg,positive\n",
    ],
)
def test_what_else_spreadsheets_write(tmp_path: Path, text: str) -> None:
    """A line that tells the separator, empty rows, line breaks in cells, separators in headings."""
    assert fresh(tmp_path / "a.csv", text.encode()) == {"a.jpg": "positive"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_too(tmp_path: Path, encoding: str) -> None:
    """JSON and JSON lines come in the same encodings."""
    row = {"path": "caf\u00e9.jpg", "label": "M\u00fctze"}
    text = json.dumps(row, ensure_ascii=False)
    assert fresh(tmp_path / "a.jsonl", f"{text}\n\n".encode(encoding)) == {"caf\u00e9.jpg": "positive"}
    assert fresh(tmp_path / "a.json", f"[{text}, {{}}]".encode(encoding)) == {"caf\u00e9.jpg": "positive"}


def test_bytes_of_a_name_before_letters(tmp_path: Path) -> None:
    """A name that is no UTF-8 comes in again by its very bytes, though there is an image by its letters in cp1252."""
    given = [
        Answer("1", "caf\udce9.png", "positive", "key", "me"),
        Answer("2", "caf\u00e9.png", "negative", "key", "me"),
    ]
    file = file_of("csv", exported("csv", given, tmp_path / "images"), tmp_path)
    assert {path: answer.label for path, answer in imported(file, given).items()} == {
        "caf\udce9.png": "positive",
        "caf\u00e9.png": "negative",
    }


@pytest.mark.parametrize("text", ["\ud800.jpg", "a\udfffb\udc80", "\udce9\ud83d"])
def test_halves_of_letters_can_be_told(text: str) -> None:
    """JSON may hold what no encoding has: it is replaced in what is sent."""
    assert "\ufffd" in displayed(text)
    displayed(text).encode()


# --- cells that would be run ------------------------------------------------------------------------------------------


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    "'=1",
]


BEGINNINGS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_harmless_and_come_back(tmp_path: Path, text: str) -> None:
    """No table that a spreadsheet may open has such a cell, and our own import finds the image of that name."""
    names = [f"{text}.png".replace("/", "-"), f"'{text}.png".replace("/", "-"), "plain.png"]
    given = [Answer(name, name, "positive", "key", "-me") for name in names]
    for format in ("csv", "folders", "imagefolder"):
        file = file_of(format, exported(format, given, tmp_path / format, names=("=hat", "@no")), tmp_path)
        with file.open(newline="", encoding="utf-8") as opened:
            for row in csv.reader(opened):
                assert not [cell for cell in row if cell.startswith(BEGINNINGS)]
        assert set(imported(file, given)) == set(names)


def test_numbers_stay_numbers() -> None:
    """Only text is made harmless."""
    assert csv_line((-1, 0.5, True, None, "a")) == b"-1,0.5,true,,a\r\n"


@given(text=st.text(st.sampled_from("'=+-@\t\r\n\uff1da,\"")))
@settings(deadline=None)
def test_any_cell(text: str) -> None:
    """Nothing that begins as a formula is left, and every text comes back."""
    assert plain(harmless(text)) == text
    assert not FORMULA.match(harmless(text)) or harmless(text).startswith("'")


@given(name=st.text(st.sampled_from("'=+-@\t\r\n\uff1da,\""), min_size=1))
@settings(deadline=None)
def test_predictions(name: str) -> None:
    """A file of predictions has no formula either, and is gone on with by the same names."""
    form, row = FORMATS[".csv"](COLUMNS), PredictionRow(name, 0.5, name)
    line = form.encode([row])
    assert form.decode(line) == row
    for cell in next(csv.reader(io.StringIO(line.decode(), newline=""))):
        assert not FORMULA.match(cell) or cell.startswith("'")


# --- anything ---------------------------------------------------------------------------------------------------------


MARKS = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0", b"\xe9"]
WORDS = [b"path", b"label", b"sep=", b"a.jpg", b"positive", b'"path"', b'"label"', b'"\\ud800"']
PIECES = st.sampled_from([*MARKS, *WORDS, *(bytes([byte]) for byte in b',;\t\r\n"{}[]:')])


@given(
    data=st.lists(PIECES | st.binary(max_size=3), max_size=25).map(b"".join),
    suffix=st.sampled_from(["csv", "tsv", "json", "jsonl"]),
)
@settings(deadline=None, max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_that_look_like_a_table(tmp_path: Path, data: bytes, suffix: str) -> None:
    """Whatever a file holds, it is labels or a ValueError with a sentence that can be sent."""
    file = tmp_path / f"a.{suffix}"
    file.write_bytes(data)
    with contextlib.suppress(ValueError):
        labelled = read_labelled(file)
        found = plan(labelled, Words(), IMAGES, "/photos", {})
        left_out = (*found.matches.unknown, *found.matches.ambiguous, *found.matches.elsewhere, *found.matches.claimed)
        for path in (*left_out, *found.unread):
            displayed(path).encode()
