"""`--network A,B` for a simulated person: A asks until B would take over in a run, and B from then on."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from IA.learning.promotion import OTHERS, NetworkView, cross_fitted_promotion, is_due
from IA.simulate.person import Course, Truth, simulate


def simulate_two(
    first: Tensor,
    second: Tensor,
    truth: Truth,
    answers: int,
    strategy: str,
    seed: int,
    held_out: tuple[Tensor, Tensor],
    examples: tuple[Tensor, Tensor] | None = None,
) -> tuple[Course, float]:
    """Answer the questions of a run with two networks, of which the second has read all images from the start.

    Args:
        first: (N, D) float32, embeddings of the pool by the first network.
        second: (N, E) float32, by the second one.
        truth: (N,) bool.
        answers: how many at most.
        strategy: see `simulate`.
        seed: see `simulate`.
        held_out: embeddings of images that are never asked, by either network.
        examples: embeddings of positives outside the pool, by either network.

    Returns:
        The course of the answers; after how many of them the second network took over, infinite if it never did.
    """
    course = simulate(first, truth, answers, strategy, seed, held_out[0], examples and examples[0])
    taken = takes_over_after(first, second, course, seed)
    if taken is None:
        return course, float("inf")
    begun = course.images[:taken]
    rest = simulate(second, truth, answers, strategy, seed, held_out[1], examples and examples[1], begun)
    remainders = [*course.remainders_before(taken), *rest.remainders_from(taken)]
    return replace(rest, shown=course.shown[:taken] + rest.shown[taken:], remainders=remainders), float(taken)


def takes_over_after(first: Tensor, second: Tensor, course: Course, seed: int) -> int | None:
    """After how many answers the second network takes over, as in a run; None if it never does."""
    others = torch.from_numpy(np.random.default_rng(seed).permutation(len(first))[:OTHERS])
    compared = 0
    for count in range(1, len(course.images) + 1):
        if not is_due(sum(course.labels[:count]), count, compared):
            continue
        compared = count
        answered = torch.tensor(course.images[:count])
        old, new = (NetworkView(vectors[answered], vectors[others]) for vectors in (first, second))
        labels, judges = torch.tensor(course.labels[:count]), torch.ones(count, dtype=torch.bool)
        outcome = cross_fitted_promotion(old, new, labels, range(count), judges, np.random.default_rng(seed))
        if outcome is not None and outcome.is_better:
            return count
    return None
