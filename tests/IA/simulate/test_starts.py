"""Simulated people who begin with words, with scores, or in other ways."""

import sys
from pathlib import Path

import numpy as np
import pytest

from config import UsageError
from IA.simulate import __main__ as command
from IA.simulate.starts import WRONG, prompts_of, scores_of
from tests.IA.pool.test_prior import reading_network

__all__ = ["reading_network"]


def simulated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, network: str, *options: object
) -> str:
    """What the command prints for two people who look for red."""
    given = [folder, "--positive", "red", "--answers", 6, "--seeds", 2, "--jobs", 1, "--network", network]
    cache = folder.parent / "cache"
    monkeypatch.setattr(sys, "argv", ["simulate", *map(str, [*given, "--cache", cache, *options])])
    command.main()
    return capsys.readouterr().out


def scored(folder: Path, text: str) -> Path:
    """A file of scores beside the folder."""
    (folder.parent / "scores.csv").write_text(text)
    return folder.parent / "scores.csv"


def columns(printed: str) -> list[str]:
    """The names of the columns after that of the engine itself."""
    heading = printed.splitlines()[1]
    return [each.strip() for each in heading.split("  ") if each.strip()][1:]


@pytest.mark.slow
def test_every_beginning_is_a_column(
    images_folder: Path, reading_network: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--cold-starts` and `--scores` compare six of them, and the 90th percentile stands beside the median."""
    scores = scored(images_folder, "path,score\n" + "".join(f"red/{n}.png,0.9\nblue/{n}.png,0.1\n" for n in range(6)))
    options = ("--cold-starts", "--scores", scores, "--prompt", "red=lynx")
    printed = simulated(monkeypatch, capsys, images_folder, reading_network, *options)
    assert columns(printed) == ["farthest-first", "random", "prompt", f"prompt: {WRONG}", "scores"]
    first = next(line for line in printed.splitlines() if line.startswith("first "))
    assert first.count("median") == first.count("90 %") == 6
    assert first.rstrip().endswith("median 1, 90 % 1")  # the scores are right


def test_scores_alone(
    images_folder: Path, tiny_network: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They need no network that reads words, and scores that are wrong are asked by first all the same."""
    scores = scored(images_folder, "path,score\n" + "".join(f"red/{n}.png,-9\nblue/{n}.png,70\n" for n in range(6)))
    printed = simulated(monkeypatch, capsys, images_folder, tiny_network, "--scores", scores)
    assert columns(printed) == ["scores"]
    first = next(line for line in printed.splitlines() if line.startswith("first "))
    assert int(first.rsplit("median ", 1)[1].split(",")[0]) > 1


@pytest.mark.parametrize(
    ("given", "prompts"),
    [
        ([], {"hat": "hat", "long_sleeve": "long sleeve"}),
        (["hat=straw hat, cap"], {"hat": "straw hat, cap", "long_sleeve": "long sleeve"}),
        (["long_sleeve=a=b", "hat="], {"hat": "hat", "long_sleeve": "a=b"}),
    ],
)
def test_prompts(given: list[str], prompts: dict[str, str]) -> None:
    """The words after CLASS= count, for all other classes the name of the folder."""
    assert prompts_of(given, ["hat", "long_sleeve"]) == prompts


def test_a_prompt_for_no_class() -> None:
    """One sentence names the classes."""
    with pytest.raises(UsageError, match=r"'cat' names no class; .* hat, skirt\."):
        prompts_of(["cat=lynx"], ["hat", "skirt"])


def test_scores_by_path(tmp_path: Path) -> None:
    """Each photo gets its own; paths of other photos are passed over, and photos without a score stay unknown."""
    file = tmp_path / "scores.csv"
    file.write_text("score,path\n7,hat/1.jpg\n9,else/1.jpg\n-3,hat/0.jpg\n")
    np.testing.assert_array_equal(scores_of(file, ["hat/0.jpg", "hat/1.jpg", "hat/2.jpg"]), [-3, 7, np.nan])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read as a table"),
        ("path,score\nhat/0.jpg,much\n", "cannot be read as a table"),
        ("file,score\nhat/0.jpg,1\n", "cannot be read as a table"),
        ("path,score\nelse.jpg,1\n", "has no score of any photo"),
        ("", "has no score of any photo"),
    ],
)
def test_bad_scores(tmp_path: Path, content: str | None, sentence: str) -> None:
    """A missing file, a bad number, a missing column, or no photo gives one sentence."""
    file = tmp_path / "scores.csv"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsageError, match=sentence):
        scores_of(file, ["hat/0.jpg"])
