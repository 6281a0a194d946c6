"""A simulated person with two networks."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from IA.learning import promotion
from IA.simulate.person import simulate
from IA.simulate.two_networks import simulate_two, takes_over_after

IMAGES = 120
ANSWERS = 60
TRUTH = np.arange(IMAGES) % 3 == 0


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty answers are enough to compare."""
    monkeypatch.setattr(promotion, "FIRST_ANSWERS", 20)
    monkeypatch.setattr(promotion, "LEAST_OF_A_KIND", 5)


def noise() -> Tensor:
    """Embeddings that say nothing, (N, 16)."""
    return torch.randn(IMAGES, 16, generator=torch.Generator().manual_seed(0))


def telling() -> Tensor:
    """Embeddings that tell positives from negatives, (N, 16)."""
    return noise() + 4 * torch.from_numpy(TRUTH)[:, None].float() * torch.ones(16)


def play(first: Tensor, second: Tensor) -> tuple[list[int], list[bool], float]:
    """The images asked, their labels, and when the second network took over."""
    course, after = simulate_two(first, second, TRUTH, ANSWERS, "max_prob", 0, (first[:5], second[:5]))
    assert len(course.images) == len(set(course.images)) == len(course.shown) == ANSWERS
    return course.images, course.labels, after


def test_a_better_second_network_takes_over() -> None:
    """Up to the take-over the questions are those of the first network; afterwards more positives are found."""
    alone = simulate(noise(), TRUTH, ANSWERS, "max_prob", 0)
    images, labels, after = play(noise(), telling())
    assert 20 <= after < ANSWERS
    assert images[: int(after)] == alone.images[: int(after)]
    assert sum(labels) > sum(alone.labels) + 5
    assert takes_over_after(noise(), telling(), alone, 0) == after


def test_a_worse_second_network_changes_nothing() -> None:
    """Every question is the first network's."""
    images, _, after = play(telling(), noise())
    assert math.isinf(after)
    assert images == simulate(telling(), TRUTH, ANSWERS, "max_prob", 0).images
