"""Simulated people who err now and then, and the review of their answers."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from config import UsageError
from IA.learning.projection import Projection
from IA.simulate import slips as command
from IA.simulate.slips import answered, play

RANDOM = np.random.default_rng(0)
CLASSES = np.array(["cat", "dog", "dog", "dog", "dog"] * 60)
VECTORS = RANDOM.standard_normal((300, 16)).astype(np.float32) + 2 * (CLASSES == "cat")[:, None]


def test_a_person_gives_the_answers() -> None:
    """Each image is asked once, positives come early, and the probability shown is the one from before the answer."""
    vectors = torch.from_numpy(VECTORS)
    given = CLASSES == "cat"
    person = answered(Projection.from_vectors(vectors), vectors, given, 100, seed=0)
    assert len(set(person.images.tolist())) == 100
    assert given[person.images].sum() > 50
    assert person.shown[0] == 0.5
    assert person.shown[1:][given[person.images[1:]]].mean() > person.shown[1:][~given[person.images[1:]]].mean()


def test_errors_are_found() -> None:
    """Answers that the model contradicts come first, so that errors are found earlier than in a random order."""
    run = play((0.2, "cat", 0), VECTORS, CLASSES, noise=0.05, answers=240)
    assert run.answers == 240
    assert run.errors > 5
    held_out, at_random = run.found["held out"], run.found["random"]
    assert held_out[0] >= 0.8 * run.errors > at_random[0]
    assert held_out == sorted(held_out)
    assert max(held_out) <= run.errors
    assert run.worth[1] >= 0.8 * run.errors
    assert run.worth[0] < 60
    as_answered, first_right, _ = run.precision
    assert first_right >= as_answered


@pytest.mark.slow
def test_haste_helps_where_errors_are_fast() -> None:
    """If wrong answers are faster, an order with times is no worse than one without."""
    runs = [play((0.2, "cat", seed), VECTORS, CLASSES, noise=0.1, answers=240) for seed in range(2)]
    fast = "held out, haste; a slip takes 70% of the time"
    assert sum(run.found[fast][1] for run in runs) >= sum(run.found["held out"][1] for run in runs)


def test_the_command(
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command prints both tables, with every order."""
    arguments = [images_folder, "--runs", "2", "--prevalence", "0.4", "--noise", "0.2", "--jobs", "1"]
    options = ["--network", tiny_network, "--cache", tmp_path / "cache"]
    monkeypatch.setattr(sys, "argv", ["IA.simulate.slips", *map(str, arguments + options)])
    command.main()
    printed = capsys.readouterr().out
    for name in ("random", "newest first", "probability when asked", "held out", "worth a look", "all put right"):
        assert f"\n{name} " in printed


def test_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder gives one sentence."""
    monkeypatch.setattr(sys, "argv", ["IA.simulate.slips", "no-such-folder"])
    with pytest.raises(UsageError, match="not a folder"):
        command.main()
