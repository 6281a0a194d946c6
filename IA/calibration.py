"""Probability that a person can believe: Platt scaling of the scores that images had when they were asked."""

import math
from collections.abc import Hashable, Mapping
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

Name = TypeVar("Name", bound=Hashable)


def platt(scores: Tensor, labels: Tensor, half_life: float = math.inf) -> tuple[float, float]:
    """Fit probability = sigmoid(scale * score + offset) (Platt 1999), with a prior on scale and offset.

    Args:
        scores: (n,) float32, given before the label was known; none is fine.
        labels: (n,) bool, the newest last.
        half_life: answers after which one counts half.

    Returns:
        Scale, above 0, and offset: most probable with Gaussian priors, by Newton's method.
    """
    features = torch.stack([scores.double(), torch.ones(len(scores), dtype=torch.float64)], dim=1)  # (n, 2)
    targets = labels.double()
    weights = 0.5 ** (torch.arange(len(scores) - 1, -1, -1, dtype=torch.float64) / half_life)  # (n,)
    centre = torch.tensor([1.0, 0.0], dtype=torch.float64)
    precision = torch.tensor([SCALE_SPREAD**-2, OFFSET_SPREAD**-2], dtype=torch.float64)

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

    def calibration(self, labels: Mapping[Name, bool]) -> tuple[float, float]:
        """Scale and offset, as of `platt`, by the last answers."""
        scores, _, truth = self._last(labels)
        return platt(scores, truth, HALF_LIFE)

    def figures(self, labels: Mapping[Name, bool]) -> dict[str, float]:
        """Accuracy at 0.5 and calibration error of the probabilities shown, over the last answers; empty without."""
        _, probability, truth = self._last(labels)
        if not len(truth):
            return {}
        return {
            "prequential_accuracy": float(((probability >= 0.5) == truth).float().mean()),
            "prequential_ece": expected_calibration_error(probability, truth),
        }

    def _last(self, labels: Mapping[Name, bool]) -> tuple[Tensor, Tensor, Tensor]:
        names = [name for name in self._asked if name in labels][-WINDOW:]
        scores, probability = torch.tensor([self._asked[name] for name in names]).view(-1, 2).T
        return scores, probability, torch.tensor([labels[name] for name in names], dtype=torch.bool)
