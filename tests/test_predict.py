"""The command that labels a folder."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from IA import predict
from IA.head import Head
from IA.loop import one_sentence
from IA.model import Predictor
from IA.networks import build


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_network: str) -> Path:
    """A predictor that says 0.5 to everything, which is positive by its threshold."""
    path = tmp_path / "predictor.ckpt"
    classes = {"positive": "a hat", "negative": "no hat"}
    Predictor(build(tiny_network), Head.empty(24, 4, 0), classes=classes, threshold=0.5).save(path)
    return path


class Output:
    """Stands in for sys.stdout: only its bytes count."""

    def __init__(self) -> None:
        """Begin without output."""
        self.buffer = io.BytesIO()

    def flush(self) -> None:
        """Nothing to do."""


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> list[dict[str, str]]:
    """What the command writes, as a spreadsheet would read it."""
    output = Output()
    monkeypatch.setattr(sys, "argv", ["IA.predict", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdout", output)
    one_sentence(predict.main)
    text = output.buffer.getvalue().decode("utf-8", "surrogateescape")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_image_below_is_a_row(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path) -> None:
    """Sorted paths relative to the folder, with probability and the name of the class."""
    rows = run(monkeypatch, checkpoint, images_folder)
    assert [row["path"] for row in rows] == [f"{name}/{number}.png" for name in ("blue", "red") for number in range(6)]
    assert all(row == {"path": row["path"], "probability": "0.500000", "label": "a hat"} for row in rows)


def test_the_server_and_the_command_see_the_same_images(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path
) -> None:
    """Any case of suffix counts; hidden files and folders and other files do not."""
    picture = (images_folder / "red/0.png").read_bytes()
    (images_folder / ".hidden").mkdir()
    for name in ("A.PNG", ".b.png", ".hidden/c.png", "d.txt", "e.JPeG"):
        (images_folder / name).write_bytes(picture)
    (images_folder / "circle.png").symlink_to(images_folder / "circle.png")
    paths = [row["path"] for row in run(monkeypatch, checkpoint, images_folder)]
    assert paths[:3] == ["A.PNG", "blue/0.png", "blue/1.png"]
    assert [path for path in paths if "/" not in path] == ["A.PNG", "e.JPeG"]


def test_an_unreadable_image_is_a_row_and_a_warning(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], checkpoint: Path, images_folder: Path
) -> None:
    """It keeps its place, without probability, and is named once on standard error."""
    (images_folder / "blue/3.png").write_bytes(b"torn")
    rows = run(monkeypatch, checkpoint, images_folder)
    assert rows[3] == {"path": "blue/3.png", "probability": "", "label": "unreadable"}
    assert len(rows) == 12
    assert capfd.readouterr().err.count("blue/3.png") == 1


def test_any_file_name_survives(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path) -> None:
    """Spaces, quotes, newlines, other scripts, and bytes that are no UTF-8 come out as they are."""
    names = ['a "b", c.png', "line\nbreak.png", "帽子.png", os.fsdecode(b"\xff\xfe.png")]
    picture = (images_folder / "red/0.png").read_bytes()
    for name in names:
        (images_folder / name).write_bytes(picture)
    paths = [row["path"] for row in run(monkeypatch, checkpoint, images_folder)]
    assert set(names) <= set(paths)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name a predictor and a folder"),
        (["predictor.ckpt"], "Name a predictor and a folder"),
        (["gone.ckpt", "images"], "gone.ckpt"),
        (["predictor.ckpt", "gone"], "no folder"),
        (["predictor.ckpt", "empty"], "no images"),
        (["images/red/0.png", "images"], "not a good predictor.ckpt"),
    ],
)
def test_a_mistake_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    images_folder: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    """What is wrong and what to do, on standard error; exit code 2."""
    monkeypatch.chdir(images_folder.parent)
    Path("empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["IA.predict", *arguments])
    with pytest.raises(SystemExit) as raised:
        one_sentence(predict.main)
    assert raised.value.code == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_a_reader_that_stops_is_no_error(checkpoint: Path, images_folder: Path) -> None:
    """`| head -1` ends the command without a traceback."""
    code = (
        "import sys; from tests.conftest import tiny; from IA.networks import register; register('tiny')(tiny)\n"
        f"from IA import predict; sys.argv = ['', {str(checkpoint)!r}, {str(images_folder)!r}]\n"
        "sys.stdin.readline(); predict.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(b"go\n")
    process.stdin.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 0
    assert "Traceback" not in told
    assert "Broken pipe" not in told
