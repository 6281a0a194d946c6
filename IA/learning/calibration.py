"""Probability that a person can believe, of what is asked next and of all that remains.

The probability is a curve over the score: points (score, logit) with straight lines between them. At the top it is
Platt scaling of the scores that images had when they were asked. What lies deep in the ranking looks like nothing that
was asked lately; there the unreviewed images themselves are evidence, for nearly all of them are negative.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

WINDOW = 150  # answers that calibration and figures rest on
HALF_LIFE = 12.0  # answers after which one counts half: positives run out, and the odds change with them
SCALE_SPREAD = 0.5  # prior: the scale is about 1 +- this,
OFFSET_SPREAD = 3.0  # and the offset about 0 +- this
LEAST_SCALE = 0.05  # the order of the images never turns round
STEPS = 30
BINS = 10
DEEP_SPREADS = (1.0, 6.0)  # wider priors, for odds of 1 to 10,000 deep in the ranking
REACH = 10.0  # places in the ranking over which the share of the last answers falls to 1 / e, and
REACH_OF_FOUND = 0.5  # so many more for each positive that was found
TAIL = 10  # places at the top of a sample that tell how scores thin out above it
LEAST_SLOPE = 1e-3  # of the curve: the order of the images stays
LEAST_STEP = 1e-3  # between the scores of two points of the curve

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Remaining:
    """What the head says of the images that nobody has answered, by a random sample of them.

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
        scores: (n,) float32, given before the label was known; none is fine.
        labels: (n,) bool.
        weights: (n,) float32, how much each counts; None: all alike.
        spreads: standard deviations of the priors, about a scale of 1 and an offset of 0.

    Returns:
        Scale, above 0, and offset: most probable with Gaussian priors, by Newton's method.
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
    """Weights (n,) float64 of answers, the newest last: one counts half after so many others."""
    return 0.5 ** (torch.arange(answers - 1, -1, -1, dtype=torch.float64) / half_life)


def line(scale: float, offset: float) -> Tensor:
    """The curve (2, 2) float32 of Platt scaling."""
    return torch.tensor([[0.0, offset], [1.0, offset + scale]])


def along(curve: Tensor, scores: Tensor) -> Tensor:
    """Logits of scores.

    Args:
        curve: (Q, 2) float32, points (score, logit) in ascending order, at least two; it goes on straight beyond.
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

    The share of `top` falls to 1 / e within `REACH` places and half the number of positives found: the more were found,
    the further down the last answers can be believed.

    Args:
        top: scale and offset by the last answers.
        deep: scale and offset by all answers and the unreviewed images.
        remaining: a sample of at least two of those.
        found: positives among the answers.

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
    if len(points) > 2:  # below the deepest it goes on as `deep` does
        points.append((points[-1][0] - 1, points[-1][1] - deep[0]))
    return torch.tensor(points[::-1])


def _ranks(remaining: Remaining) -> Tensor:
    """Places in the ranking of what remains, (Q,) float64: 1, 2, 4, ... and the last one, the deepest first."""
    last = max(2.0, len(remaining.scores) * remaining.weight)
    doubled = 2.0 ** torch.arange(math.ceil(math.log2(last)), dtype=torch.float64)
    return torch.cat([doubled[doubled < last], torch.tensor([last], dtype=torch.float64)]).flip(0)


def _scores_at(ranks: Tensor, remaining: Remaining) -> Tensor:
    """The score at each place in the ranking, (Q,) float64.

    Above the best of a sample scores thin out as the `TAIL` best of it do, exponentially (peaks over a threshold:
    Pickands 1975, with a shape of 0).
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
    """How far probability and frequency are apart, on average over the answers (Naeini et al. 2015).

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
    """Every answer's score and probability from before it was given (prequential: Dawid 1984).

    Names tell the answers apart: an answer taken back or changed counts as the labels say now.
    """

    def __init__(self) -> None:
        self._asked: dict[Name, tuple[float, float]] = {}  # score, probability shown

    def __contains__(self, name: Name) -> bool:
        """Whether it was asked."""
        return name in self._asked

    def ask(self, name: Name, score: float, probability: float) -> None:
        """Remember what was thought of it when it was asked."""
        self._asked[name] = (score, probability)

    def calibration(self, labels: Mapping[Name, bool], remaining: Remaining | None = None) -> Tensor:
        """The curve, as of `along`, by the answers and by what remains.

        Args:
            labels: of the answers, by name.
            remaining: the unreviewed images; None, or fewer than two of them: the last answers alone count.
        """
        scores, _, truth = self._of(self._names(labels)[-WINDOW:], labels)
        top = platt(scores, truth, recency(len(truth)))
        if remaining is None or len(remaining.scores) < 2:
            return line(*top)
        return blended(top, self._deep(labels, remaining), remaining, sum(labels.values()))

    def _deep(self, labels: Mapping[Name, bool], remaining: Remaining) -> tuple[float, float]:
        """Scale and offset by all answers, as they were asked, and by what remains, taken for negative."""
        scores, _, truth = self._of(self._names(labels), labels)
        each = len(labels) / max(1, len(scores))  # after a restart the last ones stand for all
        weights = torch.cat([torch.full((len(scores),), each), torch.full((len(remaining.scores),), remaining.weight)])
        negative = torch.zeros(len(remaining.scores), dtype=torch.bool)
        return platt(torch.cat([scores, remaining.scores]), torch.cat([truth, negative]), weights, DEEP_SPREADS)

    def figures(self, labels: Mapping[Name, bool]) -> dict[str, float]:
        """Accuracy at 0.5 and calibration error of the probabilities shown, over the last answers; empty without."""
        _, probability, truth = self._of(self._names(labels)[-WINDOW:], labels)
        if not len(truth):
            return {}
        return {
            "prequential_accuracy": float(((probability >= 0.5) == truth).float().mean()),
            "prequential_ece": expected_calibration_error(probability, truth),
        }

    def _names(self, labels: Mapping[Name, bool]) -> list[Name]:
        """What was asked and still has an answer, in that order."""
        return [name for name in self._asked if name in labels]

    def _of(self, names: Sequence[Name], labels: Mapping[Name, bool]) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, probabilities shown, and labels, (n,) each."""
        scores, probability = torch.tensor([self._asked[name] for name in names]).view(-1, 2).T
        return scores, probability, torch.tensor([labels[name] for name in names], dtype=torch.bool)
