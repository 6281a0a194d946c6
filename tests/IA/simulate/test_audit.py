"""Simulated people with an audit: the model knows nothing of the draw, and the sample is one."""

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
    """What it learns, and in which order, is the same with an audit and without one."""
    alone, audited = (AuditedPerson(SPACE, VECTORS, TRUTH, 3, share) for share in (0.0, 0.3))
    while alone.left:
        alone.answer()
    for _ in range(120):
        audited.answer()
    learnt = list(audited._model.answers)
    assert 60 < len(learnt) < 120
    assert learnt == alone.images[: len(learnt)]


def test_each_image_is_asked_once_and_counted_once() -> None:
    """At every moment the standing is what a recount says."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 1, share=0.2, patience=30)
    while person.left:
        person.answer()
        learnt = person._model.answers
        drawn = set(person.images) - set(learnt)
        rest = person.standing.rest
        assert person.standing.found == sum(learnt.values())
        assert (rest.images, rest.drawn, rest.positives) == (200 - len(learnt), len(drawn), TRUTH[list(drawn)].sum())
    assert sorted(person.images) == list(range(200))
    assert person.labels == TRUTH[person.images].tolist()


def test_impatience_turns_to_random_questions() -> None:
    """After so many negatives in a row the model is not asked any more."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 0, share=0.0, patience=10)
    while person.left:
        person.answer()
    learnt = list(person._model.answers)
    assert learnt == person.images[: len(learnt)]
    assert not TRUTH[learnt[-10:]].any()
    assert len(learnt) < 100


def test_the_rest_is_divided_by_the_threshold() -> None:
    """Both parts together are the rest, and hold its positives."""
    person = AuditedPerson(SPACE, VECTORS, TRUTH, 0, share=0.3, validates=True)
    for _ in range(60):
        person.answer()
    division, above, below = person.divided()
    parts, rest = (division.above, division.below), person.standing.rest
    assert sum(part.images for part in parts) == rest.images
    assert sum(part.drawn for part in parts) == rest.drawn
    assert division.found + above + below == TRUTH.sum()


@pytest.mark.slow
def test_the_command(
    images_folder: Path,
    tiny_network: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three tables: intervals, rules to stop, price."""
    monkeypatch.setattr(command, "LOOK_AT", (4, 6))
    arguments = [images_folder, "--runs", "4", "--prevalence", "0.3", "0.4", "--audit", "0.2", "--jobs", "1"]
    rest = ["--network", tiny_network, "--cache", tmp_path / "cache"]
    monkeypatch.setattr(sys, "argv", ["simulate_audit", *map(str, arguments + rest)])
    command.main()
    told = capsys.readouterr().out
    assert "95 % intervals that held the truth, 4 runs" in told
    assert "prevalence, positives" in told
    assert "50 negatives in a row" in told
    assert "with 20.0%" in told


def test_the_worst_case(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each number found, without any photos."""
    monkeypatch.setattr(command, "WORST_FOUND", (20,))
    monkeypatch.setattr(command, "WORST_REST", (300,))
    monkeypatch.setattr(sys, "argv", ["simulate_audit", "--worst-case"])
    command.main()
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["20", "300"]


@pytest.mark.parametrize(("arguments", "sentence"), [(["no-such-folder"], "not a folder"), ([], "Name a folder")])
def test_mistakes(arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder is one sentence."""
    monkeypatch.setattr(sys, "argv", ["simulate_audit", *arguments])
    with pytest.raises(UsageError, match=sentence):
        command.main()
