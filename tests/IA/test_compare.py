"""The command that compares networks on the answers of a run."""

import csv
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from config import UsageError
from IA import compare, networks
from IA.compare import read_answers, table
from IA.comparison import FIGURES, ComparisonRow, standard_errors
from IA.dataset import Preprocessing
from IA.learning.head import cross_fitted_scores
from IA.process.loop import one_sentence
from IA.protocol.files import ANNOTATIONS, SETTINGS
from IA.protocol.pickle_file import publish
from IA.protocol.records import Settings

Told = tuple[str, str]
Command = Callable[..., Told]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that a test registers are gone after it."""
    monkeypatch.setattr(networks, "BUILDERS", dict(networks.BUILDERS))


@pytest.fixture
def run(tmp_path: Path, images_folder: Path, tiny_network: str) -> Path:
    """A run whose answers tell red from blue, with one blue image skipped."""
    folder = tmp_path / "run"
    folder.mkdir()
    publish(folder, SETTINGS, Settings(str(images_folder), tiny_network, "max_prob", "red", "blue", "1"))
    annotations: dict[str, bool | None] = {
        f"{name}/{number}.png": name == "red" for number in range(6) for name in ("red", "blue")
    }
    publish(folder, ANNOTATIONS, annotations | {"blue/5.png": None})
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A function that runs the command and returns its output; the priority of the tests stays."""
    monkeypatch.setattr("os.nice", lambda _: 0)

    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["IA.compare", *map(str, arguments)])
        one_sentence(compare.main)
        told = capsys.readouterr()
        return told.out, told.err

    return call


@pytest.fixture
def grey_network() -> str:
    """A registered network that sees the brightness only, which says little about red and blue: D is 4."""

    class Grey(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            """(B, 3, H, W) to (B, 4)."""
            return nn.functional.adaptive_avg_pool2d(images.mean(1, keepdim=True), 2).flatten(1)

    networks.register("grey")(lambda _: (Grey(), Preprocessing(16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    return "grey"


def cells(out: str) -> list[list[str]]:
    """The table, line by line and column by column."""
    return [re.split(r" {2,}", line.strip()) for line in out.splitlines()]


@pytest.mark.slow
def test_the_table_begins_with_the_best(command: Command, run: Path, tiny_network: str, grey_network: str) -> None:
    """A network that sees colour comes before one that does not, with its figures; the columns are aligned."""
    out, err = command(run, grey_network, tiny_network, grey_network)
    head, first, second = cells(out)
    assert head == ["network", "accuracy", "average precision", "loss", "images/s", "MB", "dimension"]
    assert (first[0], second[0]) == ("tiny", "grey")
    assert float(first[2].split(" ± ")[0]) == 1.0
    assert float(first[2].split(" ± ")[0]) > float(second[2].split(" ± ")[0])
    assert float(first[4]) > 0
    assert (first[6], second[6]) == ("24", "4")
    assert len({len(line) for line in out.splitlines()}) == 1
    assert "11 answers, 6 of them 'red'" in err


def test_the_network_of_the_run_is_the_default(command: Command, run: Path) -> None:
    """Without a name, the run says which network to judge."""
    out, _ = command(run)
    assert [line[0] for line in cells(out)] == ["network", "tiny"]


def test_the_spreadsheet_has_all_digits(command: Command, run: Path, tmp_path: Path) -> None:
    """--csv writes every column of a row, and what the figures rest on."""
    out, _ = command(run, "--csv", tmp_path / "table.csv", "--folds", 3, "tiny")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1
    assert (rows[0]["network"], rows[0]["answers"], rows[0]["positives"], rows[0]["folds"]) == ("tiny", "11", "6", "3")
    assert cells(out)[1][1].startswith(f"{float(rows[0]['accuracy']):.3f}")
    weights = networks.build("tiny").module.state_dict().values()
    assert float(rows[0]["size_mb"]) == sum(4 * tensor.numel() for tensor in weights) / 1e6


def test_the_run_is_only_read(command: Command, run: Path) -> None:
    """The command writes, makes and removes no file of the run, so a suite may work on it."""
    before = {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]}
    command(run)
    assert {path: path.stat().st_mtime_ns for path in [run, *run.rglob("*")]} == before


def test_a_suite_at_work_goes_first(command: Command, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command lowers its own priority."""
    given: list[int] = []
    monkeypatch.setattr("os.nice", given.append)
    command(run)
    assert given == [compare.NICENESS]


def test_an_image_that_cannot_be_read_is_one_warning(
    command: Command, run: Path, images_folder: Path, tiny_network: str, grey_network: str
) -> None:
    """Torn and missing images are named once for all networks together, and left out for all of them."""
    publish(run, ANNOTATIONS, read_all(images_folder) | {"gone.png": True})
    (images_folder / "red/2.png").write_bytes(b"torn")
    _, err = command(run, tiny_network, grey_network)
    assert err.count("red/2.png") == err.count("gone.png") == 1
    assert "11 answers, 5 of them 'red'" in err


def read_all(folder: Path) -> dict[str, bool | None]:
    """A run in which every image of the folder is answered and none skipped."""
    return {path.relative_to(folder).as_posix(): path.parent.name == "red" for path in sorted(folder.glob("*/*.png"))}


def test_a_network_that_cannot_be_had_is_one_sentence(command: Command, run: Path, tmp_path: Path) -> None:
    """The other networks go on, and the output of a download does not get into the table."""

    @networks.register("far")
    def far(pretrained: bool) -> tuple[nn.Module, Preprocessing]:
        sys.stdout.write("Downloading\n")
        raise OSError("no route to host")

    out, err = command(run, "far", "nonsense", "tiny", tmp_path / "gone.pth")
    assert [line[0] for line in cells(out)] == ["network", "tiny"]
    assert "far cannot be loaded (no route to host)" in err
    assert "no network 'nonsense'" in err
    assert "no file" in err


def test_a_network_that_fails_on_images_is_one_sentence(command: Command, run: Path) -> None:
    """A network that takes the first batch but not the others does not end the comparison."""

    class Picky(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            """(B, 3, H, W) to (B, 3), of one grey image only."""
            if images.any():
                raise RuntimeError("out of memory\nat some place")
            return images.mean((2, 3))

    networks.register("picky")(lambda _: (Picky(), Preprocessing(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    out, err = command(run, "picky", "tiny")
    assert [line[0] for line in cells(out)] == ["network", "tiny"]
    assert "picky fails on the images (out of memory); it is left out." in err


def mistake(command: Command, *arguments: object) -> None:
    """Run the command, and check that it ends with exit code 2."""
    with pytest.raises(SystemExit) as raised:
        command(*arguments)
    assert raised.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Name a run directory: python -m IA.compare RUN [NETWORK...]"),
        (["gone"], "no run in gone"),
        (["images"], "no run in images"),
        (["torn"], "not a good settings.pickle"),
        (["run", "nonsense"], "no network 'nonsense'"),
        (["run", "--folds", "7"], "7 folds need at least 7 answers of either kind; there are 6 'red' and 5 'blue'"),
        (["run", "--folds", "1"], "no number of folds"),
        (["run", "--folds", "many"], "no number of folds"),
        (["run", "--csv", "gone/table.csv"], "no folder gone"),
        (["run", "--csv", "images"], "images cannot be written"),
        (["run", "--datadir", "gone"], "not in gone"),
        (["run", "--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_sentence(
    command: Command,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    sentence: str,
) -> None:
    """Standard error says what is wrong and what to do, and the exit code is 2."""
    monkeypatch.chdir(run.parent)
    Path("torn").mkdir()
    Path("torn", SETTINGS.name).write_bytes((run / SETTINGS.name).read_bytes()[:-1])
    mistake(command, *arguments)
    told = [line for line in capsys.readouterr().err.splitlines() if "image/s" not in line and line.strip()]
    assert sentence in told[-1]
    assert "Traceback" not in "".join(told)


@pytest.mark.parametrize("answers", ["none", "one kind", "skipped", "torn"])
def test_too_few_answers_are_one_sentence(
    command: Command, run: Path, images_folder: Path, capsys: pytest.CaptureFixture[str], answers: str
) -> None:
    """The sentence says how many answers of each kind there are and how many it takes; skipped images do not count."""
    everything = read_all(images_folder)
    if answers == "none":
        (run / ANNOTATIONS.name).unlink()
    elif answers == "torn":
        (run / ANNOTATIONS.name).write_bytes(b"torn")
    else:
        others = None if answers == "skipped" else True
        publish(run, ANNOTATIONS, {path: label or others for path, label in everything.items()})
    mistake(command, run)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert ("cannot be read" if answers == "torn" else "at least 5 answers of either kind") in told


def test_too_few_readable_images_are_one_sentence(
    command: Command, run: Path, images_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Enough answers do not help if the images behind them are gone."""
    for number in range(3):
        (images_folder / f"red/{number}.png").unlink()
    mistake(command, run)
    assert "there are 3 'red' and 5 'blue'" in capsys.readouterr().err


def test_the_images_may_be_elsewhere(command: Command, run: Path, images_folder: Path) -> None:
    """--datadir says where this machine sees them."""
    images_folder.rename(images_folder.with_name("moved"))
    out, _ = command(run, "--datadir", images_folder.with_name("moved"))
    assert len(cells(out)) == 2
    with pytest.raises(UsageError, match="say with --datadir"):
        read_answers(run)


def test_standard_errors_shrink_with_more_answers() -> None:
    """Four times as many answers about halve the errors, and the same answers give the same errors."""
    random = torch.Generator().manual_seed(0)
    labels = torch.rand(1600, generator=random) < 0.4
    vectors = torch.randn(1600, 8, generator=random) + labels[:, None].float()
    scores = cross_fitted_scores(nn.functional.normalize(vectors), labels)
    few, many = standard_errors(scores[:400], labels[:400]), standard_errors(scores, labels)
    assert few == standard_errors(scores[:400], labels[:400])
    assert set(few) == set(FIGURES)
    for name in few:
        assert few[name] / many[name] == pytest.approx(2, rel=0.35)
    accuracy = float(((scores > 0) == labels).float().mean())
    assert many["accuracy"] == pytest.approx(np.sqrt(accuracy * (1 - accuracy) / 1600), rel=0.35)


def test_a_table_of_nothing_is_its_heading() -> None:
    """The headings stand alone, and any name fits its column."""
    assert table([]).count("\n") == 1
    row = ComparisonRow(os.fsdecode("Größe/a b.pth"), 1, 0, 1, 0, 0.1, 0.01, 12345.6, 0.1, 24, 11, 6, 5)
    assert len({len(line) for line in table([row]).splitlines()}) == 1
