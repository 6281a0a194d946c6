"""Probabilities that a person can believe, for the images asked next and for all others.

The probability is a curve over the score: points (score, logit) with straight lines between them. At the top of the
ranking the curve is Platt scaling of the scores that images had when they were asked. Images deep in the ranking
resemble none that were asked lately. There the unreviewed images themselves are the evidence, as nearly all of them are
negative.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

WINDOW = 150  # Calibration and figures rest on this many of the last answers.
HALF_LIFE = 12.0  # After this many more answers an answer counts half: positives run out, and the odds change.
SCALE_SPREAD = 0.5  # The prior of the scale is 1 +- this.
OFFSET_SPREAD = 3.0  # The prior of the offset is 0 +- this.
LEAST_SCALE = 0.05  # The scale stays above 0, so that calibration never reverses the order of the images.
STEPS = 30
BINS = 10
DEEP_SPREADS = (1.0, 6.0)  # The wider priors for odds of 1 to 10,000 deep in the ranking.
REACH = 10.0  # Over this many places in the ranking the weight of the last answers falls to 1 / e.
REACH_OF_FOUND = 0.5  # Each positive that was found adds this many places to `REACH`.
TAIL = 10  # The ten best scores of a sample tell how scores thin out above it.
LEAST_SLOPE = 1e-3  # The curve always rises at least this much, so that it keeps the order of the images.
LEAST_STEP = 1e-3  # Two points of the curve differ by at least this score.

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Remaining:
    """The scores of a random sample of the unreviewed images.

    Attributes:
        scores: (m,) float32.
        weight: how many unreviewed images each of these stands for.
    """

    scores: Tensor
    weight: float


def platt(
    scores: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    spreads: tuple[float, float] = (SCALE_SPREAD, OFFSET_SPREAD),
) -> tuple[float, float]:
    """Fit probability = sigmoid(scale * score + offset) (Platt 1999), with a prior on scale and offset.

    Args:
        scores: (n,) float32, given before the label was known; n may be 0.
        labels: (n,) bool.
        weights: (n,) float32, how much each counts; None: all count the same.
        spreads: standard deviations of the priors, about a scale of 1 and an offset of 0.

    Returns:
        The most probable scale, above 0, and offset under Gaussian priors, by Newton's method.
    """
    features = torch.stack([scores.double(), torch.ones(len(scores), dtype=torch.float64)], dim=1)  # (n, 2)
    targets = labels.double()
    weights = torch.ones(len(scores), dtype=torch.float64) if weights is None else weights.double()
    centre = torch.tensor([1.0, 0.0], dtype=torch.float64)
    precision = torch.tensor(spreads, dtype=torch.float64) ** -2

    def cost(at: Tensor) -> float:
        logits = features @ at
        return float(weights @ (softplus(logits) - targets * logits) + (precision * (at - centre) ** 2).sum() / 2)

    at = centre
    for _ in range(STEPS):
        probability = torch.sigmoid(features @ at)
        gradient = features.T @ (weights * (probability - targets)) + precision * (at - centre)  # (2,)
        curvature = features.T @ ((weights * probability * (1 - probability))[:, None] * features) + torch.diag(
            precision
        )
        step = torch.linalg.solve(curvature, gradient)
        while cost(at - step) > cost(at) and float(step.abs().max()) > 1e-9:
            step = step / 2
        at = at - step
        if float(step.abs().max()) < 1e-6:
            break
    return max(float(at[0]), LEAST_SCALE), float(at[1])


def recency(answers: int, half_life: float = HALF_LIFE) -> Tensor:
    """Weights (n,) float64 of answers, the newest last; they halve over `half_life` answers."""
    return 0.5 ** (torch.arange(answers - 1, -1, -1, dtype=torch.float64) / half_life)


def line(scale: float, offset: float) -> Tensor:
    """The curve (2, 2) float32 of Platt scaling."""
    return torch.tensor([[0.0, offset], [1.0, offset + scale]])


def along(curve: Tensor, scores: Tensor) -> Tensor:
    """The logits on a curve at these scores.

    Args:
        curve: (Q, 2) float32, points (score, logit) in ascending order, at least two; beyond them it goes on straight.
        scores: (B,) float32.

    Returns:
        (B,) float32.
    """
    at, logits = curve[:, 0], curve[:, 1]
    slopes = (logits[1:] - logits[:-1]) / (at[1:] - at[:-1])  # (Q - 1,)
    straight = logits[0] + slopes[0] * (scores - at[0])
    if len(curve) == 2:
        return straight
    bends = slopes[1:] - slopes[:-1]  # (Q - 2,)
    return straight + (scores[:, None] - at[1:-1]).clamp(min=0) @ bends


def blended(top: tuple[float, float], deep: tuple[float, float], remaining: Remaining, found: int) -> Tensor:
    """The curve that is `top` where questions are being asked, and becomes `deep` further down the ranking.

    The weight of `top` falls to 1 / e within `REACH` places and half the number of positives found: the more positives
    were found, the further down the last answers hold.

    Args:
        top: scale and offset by the last answers.
        deep: scale and offset by all answers and the unreviewed images.
        remaining: a sample of the unreviewed images, at least two.
        found: how many answers are positive.

    Returns:
        (Q, 2) float32, points (score, logit), both strictly ascending.
    """
    ranks = _ranks(remaining)  # (Q,), from the deepest to 1
    at = _scores_at(ranks, remaining)  # (Q,), ascending
    share = torch.exp(-(ranks - 1) / (REACH + REACH_OF_FOUND * found))
    logits = share * (top[0] * at + top[1]) + (1 - share) * (deep[0] * at + deep[1])
    points = [(float(at[-1]) + 1, float(logits[-1]) + top[0]), (float(at[-1]), float(logits[-1]))]
    for score, logit in zip(at[:-1].flip(0).tolist(), logits[:-1].flip(0).tolist(), strict=True):
        above, its = points[-1]
        if score < above - LEAST_STEP:
            points.append((score, min(logit, its - LEAST_SLOPE * (above - score))))
    if len(points) > 2:  # below the deepest point the curve goes on as `deep` does
        points.append((points[-1][0] - 1, points[-1][1] - deep[0]))
    return torch.tensor(points[::-1])


def _ranks(remaining: Remaining) -> Tensor:
    """Places in the ranking of the unreviewed images, (Q,) float64: 1, 2, 4, ... and the last, the deepest first."""
    last = max(2.0, len(remaining.scores) * remaining.weight)
    doubled = 2.0 ** torch.arange(math.ceil(math.log2(last)), dtype=torch.float64)
    return torch.cat([doubled[doubled < last], torch.tensor([last], dtype=torch.float64)]).flip(0)


def _scores_at(ranks: Tensor, remaining: Remaining) -> Tensor:
    """The score at each place in the ranking, (Q,) float64.

    Above the best score of the sample, scores are taken to thin out exponentially, as the `TAIL` best of the sample do
    (peaks over a threshold: Pickands 1975, with a shape of 0).
    """
    descending = remaining.scores.double().sort(descending=True).values  # (m,)
    place = (ranks / remaining.weight - 1).clamp(0, len(descending) - 1)
    lower, upper = place.floor().long(), place.ceil().long()
    within = descending[lower] + (place - lower) * (descending[upper] - descending[lower])
    if remaining.weight <= 1:
        return within
    last = min(TAIL, len(descending)) - 1
    excess = float((descending[: last + 1] - descending[last]).mean()) if last else 0.0
    beyond = descending[last] + excess * torch.log((last + 1) * remaining.weight / ranks)
    return torch.where(ranks < (last + 1) * remaining.weight, beyond, within)


def expected_calibration_error(probability: Tensor, labels: Tensor, bins: int = BINS) -> float:
    """The distance between probability and frequency, on average over the answers (Naeini et al. 2015).

    Args:
        probability: (n,) float32 in [0, 1].
        labels: (n,) bool.
        bins: of equal width.

    Returns:
        0 for perfect, at most 1; NaN without answers.
    """
    if not len(probability):
        return float("nan")
    place = (probability * bins).long().clamp(max=bins - 1)
    surplus = torch.zeros(bins).index_add_(0, place, probability.float() - labels.float())
    return float(surplus.abs().sum()) / len(probability)


class Prequential(Generic[Name]):
    """The score and probability of every answer from before it was given (prequential: Dawid 1984).

    Answers are known by name: one that was changed counts with its present label, one that was taken back does not.
    """

    def __init__(self) -> None:
        self._asked: dict[Name, tuple[float, float]] = {}  # The score and the probability shown, by name.

    def __contains__(self, name: Name) -> bool:
        """Whether an image was asked."""
        return name in self._asked

    def ask(self, name: Name, score: float, probability: float) -> None:
        """Remember what was predicted for an image when it was asked."""
        self._asked[name] = (score, probability)

    def calibration(self, labels: Mapping[Name, bool], remaining: Remaining | None = None) -> Tensor:
        """The curve, as `along` takes it, by the answers and the unreviewed images.

        Args:
            labels: of the answers, by name.
            remaining: the unreviewed images; with None, or fewer than two of them, the last answers alone count.
        """
        scores, _, truth = self._of(self._names(labels)[-WINDOW:], labels)
        top = platt(scores, truth, recency(len(truth)))
        if remaining is None or len(remaining.scores) < 2:
            return line(*top)
        return blended(top, self._deep(labels, remaining), remaining, sum(labels.values()))

    def _deep(self, labels: Mapping[Name, bool], remaining: Remaining) -> tuple[float, float]:
        """Scale and offset by all answers, as they were predicted, and by the unreviewed images, taken for negative."""
        scores, _, truth = self._of(self._names(labels), labels)
        each = len(labels) / max(
            1, len(scores)
        )  # after a restart only the last answers have scores: they stand for all
        weights = torch.cat([torch.full((len(scores),), each), torch.full((len(remaining.scores),), remaining.weight)])
        negative = torch.zeros(len(remaining.scores), dtype=torch.bool)
        return platt(torch.cat([scores, remaining.scores]), torch.cat([truth, negative]), weights, DEEP_SPREADS)

    def figures(self, labels: Mapping[Name, bool]) -> dict[str, float]:
        """Accuracy at 0.5 and calibration error of the probabilities shown, over the last answers.

        Args:
            labels: of the answers, by name.

        Returns:
            `prequential_accuracy` and `prequential_ece`; empty without answers.
        """
        _, probability, truth = self._of(self._names(labels)[-WINDOW:], labels)
        if not len(truth):
            return {}
        return {
            "prequential_accuracy": float(((probability >= 0.5) == truth).float().mean()),
            "prequential_ece": expected_calibration_error(probability, truth),
        }

    def _names(self, labels: Mapping[Name, bool]) -> list[Name]:
        """Names of the images that were asked and still have an answer, in the order asked."""
        return [name for name in self._asked if name in labels]

    def _of(self, names: Sequence[Name], labels: Mapping[Name, bool]) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, probabilities shown, and labels, (n,) each."""
        scores, probability = torch.tensor([self._asked[name] for name in names]).view(-1, 2).T
        return scores, probability, torch.tensor([labels[name] for name in names], dtype=torch.bool)
