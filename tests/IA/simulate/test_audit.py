"""Simulated people with an audit: the model knows nothing of the draw, and the sample is random."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from config import UsageError
from IA.learning.projection import Projection
from IA.simulate import audit as command
from IA.simulate.audit_person import AuditedPerson

RANDOM = np.random.default_rng(0)
TRUTH = np.arange(200) % 20 == 0
VECTORS = torch.from_numpy(RANDOM.standard_normal((200, 16)).astype(np.float32) + 2 * TRUTH[:, None])
SPACE = Projection.from_vectors(VECTORS)


def test_the_model_asks_as_if_nothing_were_drawn() -> None:
    """The model learns the same answers in the same order with an audit and without one."""
    alone, audited = (AuditedPerson(SPACE, VECTORS, TRUTH, 3, share) for share in (0.0, 0.3))
    while alone.left:
        alone.answer()
    for _ in range(120):
        audited.answer()
    learnt = list(audited.model.answers)
    assert 60 < len(learnt) < 120
    assert learnt == alone.images[: len(learnt)]


def test_each_image_is_asked_once_and_counted_once() -> None:
    """At every moment the standing equals a recount."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 1, share=0.2, patience=30)
    while person.left:
        person.answer()
        learnt = person.model.answers
        drawn = set(person.images) - set(learnt)
        rest = person.standing.remaining
        assert person.standing.found == sum(learnt.values())
        assert (rest.images, rest.sampled, rest.positives) == (200 - len(learnt), len(drawn), TRUTH[list(drawn)].sum())
    assert sorted(person.images) == list(range(200))
    assert person.labels == TRUTH[person.images].tolist()


def test_impatience_turns_to_random_questions() -> None:
    """After a number of negatives in a row, all questions are random."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 0, share=0.0, patience=10)
    while person.left:
        person.answer()
    learnt = list(person.model.answers)
    assert learnt == person.images[: len(learnt)]
    assert not TRUTH[learnt[-10:]].any()
    assert len(learnt) < 100


def test_the_rest_is_divided_by_the_threshold() -> None:
    """Both parts together are the remaining images, with all their positives."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 0, share=0.3, validates=True)
    for _ in range(60):
        person.answer()
    division, above, below = person.divided()
    parts, rest = (division.above, division.below), person.standing.remaining
    assert sum(part.images for part in parts) == rest.images
    assert sum(part.sampled for part in parts) == rest.sampled
    assert division.found + above + below == TRUTH.sum()


@pytest.mark.slow
def test_the_command(
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command prints three tables: intervals, stopping rules, price."""
    monkeypatch.setattr(command, "LOOK_AT", (4, 6))
    arguments = [images_folder, "--runs", "4", "--prevalence", "0.3", "0.4", "--audit", "0.2", "--jobs", "1"]
    options = ["--network", tiny_network, "--cache", tmp_path / "cache"]
    monkeypatch.setattr(sys, "argv", ["IA.simulate.audit", *map(str, arguments + options)])
    command.main()
    printed = capsys.readouterr().out
    assert "95 % intervals that held the truth, 4 runs" in printed
    assert "prevalence, positives" in printed
    assert "50 negatives in a row" in printed
    assert "with 20.0%" in printed


def test_the_worst_case(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The worst case needs no photos and prints a line for each number found."""
    monkeypatch.setattr(command, "WORST_FOUND", (20,))
    monkeypatch.setattr(command, "WORST_REST", (300,))
    monkeypatch.setattr(sys, "argv", ["IA.simulate.audit", "--worst-case"])
    command.main()
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["20", "300"]


@pytest.mark.parametrize(("arguments", "sentence"), [(["no-such-folder"], "not a folder"), ([], "Name a folder")])
def test_mistakes(arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing folder gives one sentence."""
    monkeypatch.setattr(sys, "argv", ["IA.simulate.audit", *arguments])
    with pytest.raises(UsageError, match=sentence):
        command.main()
