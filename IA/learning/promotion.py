"""Whether one backbone is better than another: by the average precision of heads on answers that were held out."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from IA.learning.head import average_precision, cross_fitted_scores
from IA.learning.projection import Projection

LEAST_OF_A_KIND = 10  # The first comparison of two networks waits for this many answers of either kind,
FIRST_ANSWERS = 50  # and for this many in all.
AGAIN = 1.5  # The next comparison waits for this many times the answers of the last one.
OTHERS = 500  # This many images of the pool describe the embedding spaces.
RESAMPLES = 1000
CERTAINTY = 0.6  # With some twenty positives held out, a real gain often reaches no more than .7.


@dataclass(frozen=True)
class Promotion:
    """The outcome of a comparison.

    Attributes:
        before: average precision on the old backbone.
        after: the same on the new one.
        certainty: share of resamples of the held-out answers (bootstrap: Efron 1979) in which the new one is better.
    """

    before: float
    after: float
    certainty: float

    @property
    def is_better(self) -> bool:
        """Whether the new backbone is worth a change."""
        return self.after > self.before and self.certainty >= CERTAINTY


@dataclass(frozen=True)
class NetworkView:
    """What one backbone sees.

    Attributes:
        answered: (n, D) float32, embeddings of the answered images.
        others: (m, D) float32, of a few hundred images of the pool, which describe the space.
    """

    answered: Tensor
    others: Tensor


def is_due(positives: int, answers: int, compared: int) -> bool:
    """Whether a comparison is due.

    Args:
        positives: how many answers are positive.
        answers: how many there are.
        compared: how many there were at the last comparison.
    """
    enough = min(positives, answers - positives) >= LEAST_OF_A_KIND and answers >= FIRST_ANSWERS
    return enough and answers >= AGAIN * compared


def promotion(old: Tensor, new: Tensor, truth: Tensor, random: np.random.Generator) -> Promotion:
    """Compare two backbones by what heads on them say of held-out answers.

    Args:
        old: (h,) float32, scores on the old backbone, and
        new: (h,) float32, on the new one.
        truth: (h,) bool, both values among them.
        random: resamples.
    """
    before, after = average_precision(old, truth), average_precision(new, truth)
    return Promotion(before, after, _certainty(old, new, truth, random))


def cross_fitted_promotion(
    old: NetworkView,
    new: NetworkView,
    truth: Tensor,
    groups: Sequence[Hashable],
    judges: Tensor,
    random: np.random.Generator,
) -> Promotion | None:
    """Compare two backbones on answers that the new one has not learnt: every answer is held out once.

    Args:
        old: what the old backbone sees, and
        new: what the new one sees of the same images.
        truth: (n,) bool, the answers, in the order answered.
        groups: (n,) near duplicates have the same group.
        judges: (n,) bool, the answers that may judge: those that the old backbone has not learnt.
        random: resamples.

    Returns:
        None where there are too few answers of one kind.
    """
    scores = [cross_fitted_scores(_projected(seen), truth, groups=groups) for seen in (old, new)]
    judges = judges & ~scores[0].isnan() & ~scores[1].isnan()
    if not 0 < int(truth[judges].sum()) < int(judges.sum()):
        return None
    return promotion(scores[0][judges], scores[1][judges], truth[judges], random)


def _projected(seen: NetworkView) -> Tensor:
    return Projection.from_vectors(seen.others[seen.others.any(dim=1)]).project(seen.answered)


def _certainty(old: Tensor, new: Tensor, truth: Tensor, random: np.random.Generator) -> float:
    """Share of the resamples, each with both classes, in which the new scores have the higher average precision."""
    kinds = [np.flatnonzero(truth == label) for label in (True, False)]
    better = 0
    for _ in range(RESAMPLES):
        some = torch.from_numpy(np.concatenate([random.choice(kind, len(kind)) for kind in kinds]))
        better += average_precision(new[some], truth[some]) > average_precision(old[some], truth[some])
    return better / RESAMPLES
