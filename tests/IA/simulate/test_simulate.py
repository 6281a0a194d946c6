"""The simulator: a truthful person, the real engine, and figures that can be checked by hand."""

import csv
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from config import UsageError
from IA.simulate import __main__ as command
from IA.simulate.person import Course, Remainder, figures, simulate
from IA.simulate.sorted_photos import draw

RANDOM = np.random.default_rng(0)
TRUTH = np.arange(200) % 20 == 0
VECTORS = torch.from_numpy(RANDOM.standard_normal((200, 16)).astype(np.float32) + 2 * TRUTH[:, None])


def test_the_engine_finds_the_positives_early() -> None:
    """Ten distinct positives among 200 images are found in a fraction of the answers, and no image is asked twice."""
    course = simulate(VECTORS, TRUTH, answers=60)
    assert len(set(course.images)) == 60
    assert course.labels == TRUTH[course.images].tolist()
    assert sum(course.labels) >= 8
    assert math.isnan(course.shown[0])
    assert 0 <= course.shown[-1] <= 1


def test_the_same_seed_asks_the_same() -> None:
    """The same seed gives the same course, and another seed another one."""
    once, again, other = (simulate(VECTORS, TRUTH, 20, seed=seed).images for seed in (1, 1, 2))
    assert once == again
    assert once != other


@pytest.mark.slow
def test_what_remains_is_not_taken_for_positive() -> None:
    """While nearly every answer is positive, and later, the remaining images are calibrated, and their count holds.

    By the last answers alone 416, 232, 71 and 11 positives were expected where 20, 9, 4 and 3 were left.
    """
    random = np.random.default_rng(1)
    truth = np.zeros(1200, bool)
    truth[random.permutation(1200)[:60]] = True
    vectors = random.normal(size=(1200, 32)).astype(np.float32)
    vectors[:, :4] += 1.6 * random.integers(0, 2, (1200, 4))
    vectors[truth, :8] += 1.4
    course = simulate(torch.from_numpy(vectors), truth, 150, seed=1)
    assert [each.positives for each in course.remainders] == [
        int(truth.sum()) - sum(course.labels[:n]) for n in (50, 75, 100, 150)
    ]
    assert all(each.holds and each.error < 0.02 for each in course.remainders)


def test_an_expected_count_holds_within_a_factor_or_a_few() -> None:
    """An expected count holds within a factor of 1.5, or within 5 positives."""
    assert Remainder(30, 20, 0).holds and Remainder(20, 30, 0).holds and Remainder(5, 0, 0).holds
    assert not Remainder(31, 20, 0).holds and not Remainder(19, 30, 0).holds and not Remainder(5.1, 0, 0).holds


def test_figures_by_hand() -> None:
    """Each figure of a short course equals the one computed by hand."""
    labels = [False, True, True, False]
    course = Course([4, 0, 1, 5], labels, [math.nan, math.nan, 0.75, 0.25], np.array([0.9, 0.2, 0.4, 0.1], np.float32))
    result = figures(course, positives=2, images=8, held_out=np.array([True, False, False, True]))
    # found 0, 1, 2, 2; at random .25, .5, .75, 1; at best 1, 2, 2, 2
    assert result["nAUC"] == pytest.approx((5 - 2.5) / (7 - 2.5))
    assert (result["first"], result["to 95 %"]) == (2, 3)
    assert result["WSS@95"] == pytest.approx(0.95 - 3 / 8)
    assert result["ECE"] == pytest.approx(0.25)
    assert result["AUC"] == pytest.approx(0.5)


def test_what_was_not_reached() -> None:
    """Without a positive found, figures that need one are infinite or NaN."""
    result = figures(Course([1, 2], [False, False], [math.nan, math.nan]), positives=5, images=100)
    assert result["first"] == math.inf
    assert math.isnan(result["WSS@95"])
    assert math.isnan(result["ECE"])


@pytest.mark.parametrize(("prevalence", "positives"), [(None, 8), (0.02, 3), (0.5, 8)])
def test_a_pool_has_the_prevalence_asked_for(prevalence: float | None, positives: int) -> None:
    """The pool is as large as the folder allows, shares nothing with the images held out, and a fifth is held out."""
    pool, held_out = draw(TRUTH, prevalence, seed=3)
    assert TRUTH[pool].sum() == positives
    if prevalence:
        assert TRUTH[pool].mean() == pytest.approx(prevalence, abs=0.01)
    assert len(held_out) == 40
    assert not set(pool) & set(held_out)


def test_the_command(
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command prints one table, and writes one row for each simulated person to the CSV file."""
    arguments = [images_folder, "--positive", "red", "--prevalence", "0.4", "--answers", "8", "--seeds", "2"]
    options = ["--network", tiny_network, "--csv", tmp_path / "a.csv", "--cache", tmp_path / "cache", "--jobs", "1"]
    monkeypatch.setattr(sys, "argv", ["simulate", *map(str, arguments + options)])
    command.main()
    printed = capsys.readouterr().out
    assert "40.0% positives, 1 classes, 2 seeds, 8 answers" in printed
    assert "nAUC" in printed
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["positive"], row["seed"]) for row in rows] == [("red", "0"), ("red", "1")]
    assert all(float(row["nAUC"]) <= 1 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["no-such-folder"], "not a folder"),
        (["images", "--csv", "a.csv", "--positive", "green"], "no class folder 'green'"),
        (["images", "--csv", "a.csv", "--positive", "empty"], "has no images"),
        (["images", "--csv", "a.csv", "--plot", "away/a.png"], "no folder away"),
    ],
)
def test_mistakes(
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A missing folder or class gives one sentence before anything is written or embedded."""
    monkeypatch.chdir(images_folder.parent)
    (images_folder / "empty").mkdir()
    monkeypatch.setattr(
        sys, "argv", ["simulate", *arguments, "--network", tiny_network, "--cache", str(tmp_path / "c")]
    )
    with pytest.raises(UsageError, match=sentence):
        command.main()
    assert {path.name for path in tmp_path.iterdir()} == {"images"}


def test_examples_are_of_those_held_out() -> None:
    """A person with examples begins with a positive, and no example is asked or held out."""
    random = np.random.default_rng(0)
    classes = np.array(["hat"] * 50 + ["shirt"] * 150)
    vectors = random.standard_normal((200, 16)).astype(np.float32)
    vectors[:50, 0] += 6
    without, with_three = (
        command.play(command.Task(command.OURS, "hat", 0.1, 1, 20, "max_prob", count), vectors, classes)
        for count in (0, 3)
    )
    assert with_three.labels[0]
    assert with_three.figures["images"] == without.figures["images"]
    assert with_three.figures["nAUC"] > without.figures["nAUC"]
