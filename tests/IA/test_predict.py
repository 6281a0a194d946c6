"""The command that labels a folder."""

import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from config import ROOT
from IA import predict
from IA.learning.calibration import line
from IA.learning.head import Head
from IA.model import Predictor
from IA.networks import build
from IA.predictions.files import PredictionFile
from IA.process.loop import one_sentence


@pytest.fixture
def checkpoint(tmp_path: Path, tiny_network: str) -> Path:
    """A predictor that gives every image 0.5, which is positive by its threshold."""
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
    """The table that the command writes, as a spreadsheet reads it."""
    output = Output()
    monkeypatch.setattr(sys, "argv", ["IA.predict", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdout", output)
    one_sentence(predict.main)
    text = output.buffer.getvalue().decode("utf-8", "surrogateescape")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_image_below_is_a_row(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path) -> None:
    """Paths come sorted and relative to the folder, with probability and the name of the class."""
    rows = run(monkeypatch, checkpoint, images_folder)
    assert [row["path"] for row in rows] == [f"{name}/{number}.png" for name in ("blue", "red") for number in range(6)]
    assert all(row == {"path": row["path"], "probability": "0.500000", "label": "a hat"} for row in rows)


def test_the_server_and_the_command_see_the_same_images(
    monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path
) -> None:
    """Suffixes count in any case; hidden files and folders and other files are left out."""
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
    """The image keeps its place without a probability, and standard error names it once."""
    (images_folder / "blue/3.png").write_bytes(b"torn")
    rows = run(monkeypatch, checkpoint, images_folder)
    assert rows[3] == {"path": "blue/3.png", "probability": "", "label": "unreadable"}
    assert len(rows) == 12
    assert capfd.readouterr().err.count("blue/3.png") == 1


def test_any_file_name_survives(monkeypatch: pytest.MonkeyPatch, checkpoint: Path, images_folder: Path) -> None:
    """Spaces, quotes, newlines, other scripts, and bytes that are no UTF-8 come out as they went in."""
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
        (["predictor.ckpt", "images", "--out", "a.txt"], "a.txt ends in none of .csv, .jsonl"),
        (["predictor.ckpt", "images", "--out", "gone/a.csv"], "gone/a.csv cannot be written"),
        (["predictor.ckpt", "images", "--link", "hard"], "--to-folders"),
        (["predictor.ckpt", "images", "--to-folders", "images/sorted"], "lies in images"),
        (["predictor.ckpt", "images", "--sort"], "Name a predictor and a folder"),
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
    """Standard error says what is wrong and what to do, and the exit code is 2."""
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_file_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    checkpoint: Path,
    images_folder: Path,
    tmp_path: Path,
    name: str,
) -> None:
    """Rows that are there are not made again, new images are added, and a torn last line is mended."""
    out = tmp_path / name
    (images_folder / "blue/3.png").write_bytes(b"torn")
    assert run(monkeypatch, checkpoint, images_folder, "--out", out) == []
    whole = out.read_bytes()
    assert whole.count(b"\n") == (13 if name.endswith("csv") else 12)
    assert b"unreadable" in whole

    asked: list[list[Path]] = []
    predictions = Predictor.predictions

    def watched(self: Predictor, paths: Iterable[Path], **options: Any) -> Any:
        asked.append(list(paths))
        return predictions(self, asked[-1], **options)

    monkeypatch.setattr(Predictor, "predictions", watched)
    out.write_bytes(whole[:-5])
    (images_folder / "new.png").write_bytes((images_folder / "red/0.png").read_bytes())
    run(monkeypatch, checkpoint, images_folder, "--out", out)
    assert asked[-1] == [images_folder / "new.png", images_folder / "red/5.png"]
    lines = out.read_bytes().splitlines()
    assert lines[: len(whole.splitlines()) - 1] == whole.splitlines()[:-1]
    assert b"new.png" in lines[-2]
    assert lines[-1] == whole.splitlines()[-1]
    before = out.read_bytes()
    assert "done already" not in capfd.readouterr().err
    run(monkeypatch, checkpoint, images_folder, "--out", out)
    assert capfd.readouterr().err.endswith("All 13 images were done already.\n")
    assert out.read_bytes() == before
    assert len(asked[-1]) <= 4  # those that tell one predictor from another, alone


def test_a_file_of_another_predictor_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    checkpoint: Path,
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
) -> None:
    """A file never mixes the rows of two predictors, or other names of the classes."""
    run(monkeypatch, checkpoint, images_folder, "--out", tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open("a") as file:
        file.write("torn")
    before = (tmp_path / "rows.csv").read_bytes()
    other = Head.empty(24, 4, 0)
    other.curve = line(1.0, 0.1)
    classes = {"positive": "a hat", "negative": "no hat"}
    for head, names in ((other, classes), (Head.empty(24, 4, 0), {"positive": "a cap", "negative": "no cap"})):
        Predictor(build(tiny_network), head, classes=names, threshold=0.5).save(checkpoint)
        with pytest.raises(SystemExit) as raised:
            more = ("--out", tmp_path / "rows.csv", "--to-folders", tmp_path / "sorted")
            run(monkeypatch, checkpoint, images_folder, *more)
        assert raised.value.code == 2
        assert "another predictor" in capsys.readouterr().err
        assert (tmp_path / "rows.csv").read_bytes() == before
        assert not (tmp_path / "sorted").exists()


def test_images_go_into_class_folders(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], checkpoint: Path, images_folder: Path
) -> None:
    """Unreadable images go into no folder; a file of earlier rows is enough to sort by."""
    out, into = images_folder.parent / "rows.csv", images_folder.parent / "sorted"
    (images_folder / "blue/3.png").write_bytes(b"torn")
    run(monkeypatch, checkpoint, images_folder, "--out", out)
    run(monkeypatch, checkpoint, images_folder, "--out", out, "--to-folders", into, "--link", "hard")
    assert "11 put into folders, 0 were there." in capfd.readouterr().err
    placed = {str(path.relative_to(into)) for path in into.rglob("*.png")}
    names = {f"{colour}/{number}.png" for colour in ("blue", "red") for number in range(6)} - {"blue/3.png"}
    assert placed == {f"a hat/{name}" for name in names}
    (into / "a hat/red/0.png").unlink()
    (into / "a hat/red/0.png").write_bytes(b"mine")
    run(monkeypatch, checkpoint, images_folder, "--to-folders", into)
    told = capfd.readouterr().err
    assert "'red/0.png' is not put in a folder: another file is in" in told
    assert "0 put into folders, 10 were there." in told
    assert (into / "a hat/red/0.png").read_bytes() == b"mine"


@pytest.mark.slow
def test_ctrl_c_leaves_a_good_file(checkpoint: Path, images_folder: Path, tmp_path: Path) -> None:
    """Ctrl-C gives exit code 130, one sentence and whole rows; the same command does the rest."""
    picture = (images_folder / "red/0.png").read_bytes()
    for number in range(1000):
        (images_folder / f"{number}.png").write_bytes(picture)
    code = (
        "import sys; from tests.conftest import tiny; from IA.networks import register; register('tiny')(tiny)\n"
        "from IA import predict; from IA.process.loop import one_sentence\n"
        f"sys.argv = ['', {str(checkpoint)!r}, {str(images_folder)!r}, '--out', {str(tmp_path / 'rows.csv')!r}]\n"
        "one_sentence(predict.main)"
    )
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    assert process.stderr is not None
    while not (tmp_path / "rows.csv").exists() or (tmp_path / "rows.csv").stat().st_size < 1000:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 130
    assert "Traceback" not in told
    assert "the same command continues" in told
    partly = (tmp_path / "rows.csv").read_bytes()
    assert partly.endswith(b"\n")
    assert 30 < partly.count(b"\n") < 1013
    subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    whole = (tmp_path / "rows.csv").read_bytes()
    assert whole.startswith(partly)
    assert [row["path"] for row in csv.DictReader(io.StringIO(whole.decode()))] == predict.image_paths(images_folder)


def test_a_full_disk_ends_it_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], checkpoint: Path, images_folder: Path
) -> None:
    """A full disk ends the command with one sentence and exit code 1."""

    def full(self: PredictionFile, rows: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PredictionFile, "write", full)
    with pytest.raises(SystemExit) as raised:
        run(monkeypatch, checkpoint, images_folder, "--out", images_folder.parent / "rows.csv")
    assert raised.value.code == 1
    assert "Stopped: No space left on device" in capfd.readouterr().err
