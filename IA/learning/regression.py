"""Logistic regression by Newton's method, with a kernel or linear: it fits the head; torch only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

STEPS = 30
STEP_SIZES = (1.0, 0.5, 0.25, 0.125, 0.0625)
TOLERANCE = 1e-4  # The fit ends once a step gains less than this for each answer.


def kernel_regression(kernel: Tensor, labels: Tensor, c: float) -> Tensor:
    """Minimise weights @ kernel @ weights / 2 + c * log loss.

    The step has the stable form of Rasmussen and Williams (2006), algorithm 3.1: the matrix that is factorised has no
    eigenvalue below 1, so float32 will do.

    Args:
        kernel: (n, n) float32, positive semi-definite.
        labels: (n,) bool.
        c: weight of the answers against the norm.

    Returns:
        Weights (n,); the scores are kernel @ weights.
    """
    targets, unit = labels.float(), torch.eye(len(labels))

    def target_of_step(weights: Tensor, scores: Tensor) -> Tensor:
        probability = torch.sigmoid(scores)
        curvature = c * probability * (1 - probability)  # (n,)
        root = curvature.sqrt()
        factor = torch.linalg.cholesky(unit + root[:, None] * kernel * root)  # (n, n)
        right = curvature * scores + c * (targets - probability)
        inner = torch.cholesky_solve((root * (kernel @ right))[:, None], factor)[:, 0]
        return right - root * inner

    return _newton(
        torch.zeros(len(labels)), labels, c, target_of_step, kernel.matmul, lambda weights, scores: weights @ scores
    )


def linear_regression(features: Tensor, labels: Tensor, c: float) -> Tensor:
    """Minimise weights @ weights / 2 + c * log loss.

    Args:
        features: (n, F) float32.
        labels: (n,) bool.
        c: weight of the answers against the norm.

    Returns:
        Weights (F,); the scores are features @ weights.
    """
    targets, unit = labels.float(), torch.eye(features.shape[1])

    def target_of_step(weights: Tensor, scores: Tensor) -> Tensor:
        probability = torch.sigmoid(scores)
        curvature = c * probability * (1 - probability)  # (n,)
        gradient = weights - c * features.T @ (targets - probability)  # (F,)
        factor = torch.linalg.cholesky(unit + features.T @ (curvature[:, None] * features))  # (F, F)
        return weights - torch.cholesky_solve(gradient[:, None], factor)[:, 0]

    return _newton(
        torch.zeros(features.shape[1]), labels, c, target_of_step, features.matmul, lambda weights, _: weights @ weights
    )


def _newton(
    weights: Tensor,
    labels: Tensor,
    c: float,
    target_of_step: Callable[[Tensor, Tensor], Tensor],
    scores_of: Callable[[Tensor], Tensor],
    squared_norm: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Take Newton's steps, each shortened until the objective falls, until the objective falls no more."""
    signs = labels.float() * 2 - 1

    def objective(weights: Tensor, scores: Tensor) -> float:
        return float(squared_norm(weights, scores) / 2 - c * logsigmoid(signs * scores).sum())

    scores = scores_of(weights)
    best = objective(weights, scores)
    for _ in range(STEPS if len(labels) else 0):
        step = target_of_step(weights, scores) - weights
        scores_step = scores_of(step)
        for size in STEP_SIZES:
            now = objective(weights + size * step, scores + size * scores_step)
            if now < best:
                break
        else:
            return weights
        weights, scores = weights + size * step, scores + size * scores_step
        best, gain = now, best - now
        if gain < TOLERANCE * len(labels):
            break
    return weights
