"""Near duplicates count once in learning and validation."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from IA.duplicates.deduplicated import Deduplicated
from IA.finetuning.training import DividedAnswers
from IA.learning.head import folds_of
from IA.protocol import pickle_file
from IA.protocol.files import DUPLICATES, IMAGES
from IA.protocol.records import Duplicates, Settings

SETTINGS = Settings("/d", "n", "max_prob", "yes", "no", "id")


def test_one_answer_of_either_kind_is_learnt() -> None:
    """The first answer of each group is learnt; of a group with both answers, one of each."""
    deduplicated = Deduplicated({"b": "a", "a": "a", "c": "a"})
    assert deduplicated.learnt({"c": True, "x": False, "a": True, "b": True}) == {"c": True, "x": False}
    assert deduplicated.learnt({"c": True, "a": False, "b": True}) == {"c": True, "a": False}
    assert deduplicated.group_of("b") == deduplicated.group_of("c") != deduplicated.group_of("x")


def test_figures_are_those_of_the_group() -> None:
    """The held-out probability of an image is given to its near duplicates with the same answer, and to no others."""
    deduplicated = Deduplicated({"b": "a", "a": "a", "c": "a"})
    labels = {"c": True, "x": False, "a": True, "b": False}
    assert deduplicated.spread({"c": 0.25, "x": 0.5}, labels) == {"c": 0.25, "x": 0.5, "a": 0.25}


def test_as_published(tmp_path: Path) -> None:
    """The groups come from duplicates.pickle; there are none if it is missing, damaged, or switched off."""
    assert Deduplicated.from_run(tmp_path, SETTINGS).group_of("b") == "b"
    pickle_file.publish(tmp_path, IMAGES, ["a", "b", "c"])
    pickle_file.publish(tmp_path, DUPLICATES, Duplicates(np.array([0, 0, 2, 3], np.int32).data))
    assert [Deduplicated.from_run(tmp_path, SETTINGS).group_of(path) for path in "abc"] == ["a", "a", "c"]
    off: dict[str, Any] = SETTINGS.__dict__ | {"alike": "off"}
    assert Deduplicated.from_run(tmp_path, Settings(**off)).group_of("b") == "b"
    (tmp_path / DUPLICATES.name).write_bytes(b"torn")
    assert Deduplicated.from_run(tmp_path, SETTINGS).group_of("b") == "b"


def test_a_group_is_on_one_side_of_a_split() -> None:
    """The folds of validation and the uses of fine-tuning keep a group together."""
    labels = torch.tensor([True, False] * 40)
    groups = [f"group {place // 4}" for place in range(80)]
    folds = folds_of(labels, 5, groups)
    assert all(len(set(folds[place : place + 4].tolist())) == 1 for place in range(0, 80, 4))
    assert len(set(folds_of(labels, 5)[:4].tolist())) > 1
    files = [Path(str(place)) for place in range(80)]
    dealt = DividedAnswers.from_answers(files, labels.numpy(), np.random.default_rng(0), groups)
    assert all(len(set(dealt.part[place : place + 4].tolist())) == 1 for place in range(0, 80, 4))
    assert len(set(dealt.part.tolist())) == 3
