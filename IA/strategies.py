"""Which image to ask next: the strategies, as pure functions of probabilities; numpy only."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]
Strategy = Callable[[Scores], Scores]

LAST = np.uint64(0xFFFFFFFF)


def max_prob(probability: Scores) -> Scores:
    """The likeliest positives first: to find positives that are rare."""
    return probability


def min_prob(probability: Scores) -> Scores:
    """The likeliest negatives first: to find the exceptions in a folder of positives, or to confirm the rest."""
    return -probability


def entropy(probability: Scores) -> Scores:
    """The most uncertain first: to improve the model, where both answers are frequent."""
    distance: Scores = np.abs(probability - np.float32(0.5))
    return -distance  # of two classes, the entropy falls with this distance


def min_entropy(probability: Scores) -> Scores:
    """The most certain first, of either kind: to check quickly what the model believes it knows."""
    return -entropy(probability)


def random(probability: Scores) -> Scores:
    """In a shuffled order: for an unbiased sample, such as a test set or an estimate of how many positives exist."""
    return np.zeros_like(probability)  # all alike: the shuffle that breaks ties decides


STRATEGIES: dict[str, Strategy] = {
    "max_prob": max_prob,
    "entropy": entropy,
    "min_prob": min_prob,
    "min_entropy": min_entropy,
    "random": random,
}


def order(
    probability: Scores,
    novelty: Scores,
    strategy: str,
    seed: int,
    leave_out: NDArray[np.bool_],
    similarity: Scores | None = None,
) -> NDArray[np.int32]:
    """Numbers of the images to ask, best first.

    Before a model, when no probability is known, the most novel come first (farthest-first: Gonzalez 1985), or with
    examples of what is looked for the most similar, unless the strategy is `random`. Images without a score come last.
    Ties are broken by a shuffle that depends on the seed and the image alone: it stays as images are added, and from
    call to call.

    Args:
        probability: (N,) float32, of positive; NaN where not scored.
        novelty: (N,) float32, distance to the nearest answered image; NaN where not embedded.
        strategy: one of `STRATEGIES`.
        seed: of the shuffle.
        leave_out: (N,) bool, images that are answered, skipped, unreadable or gone.
        similarity: (N,) float32, to the nearest example; NaN where not embedded; None: there are no examples.

    Returns:
        (R,) int32, one for each image that is not left out.

    Raises:
        ValueError: the lengths differ, or there is no such strategy.
    """
    if not len(probability) == len(novelty) == len(leave_out) == len(novelty if similarity is None else similarity):
        raise ValueError(f"{len(probability)} probabilities, {len(novelty)} novelties, {len(leave_out)} flags.")
    if strategy not in STRATEGIES:
        raise ValueError(f"There is no strategy {strategy!r}; choose one of {', '.join(STRATEGIES)}.")
    images = np.flatnonzero(~np.asarray(leave_out, dtype=np.bool_)).astype(np.int32)  # (R,)
    probability = np.asarray(probability, dtype=np.float32)
    if strategy == "random" and np.isnan(probability).all():
        score = np.zeros(len(images), dtype=np.float32)
    elif np.isnan(probability).all():
        score = np.asarray(novelty if similarity is None else similarity, dtype=np.float32)[images]
    else:
        known = probability[images]
        score = np.where(np.isnan(known), np.float32(np.nan), STRATEGIES[strategy](known))
    return images[np.argsort((_descending(score) << np.uint64(32)) | _shuffle(images, seed), kind="stable")]


def _descending(score: Scores) -> NDArray[np.uint64]:
    """(R,) ranks in 32 bits that sort as the scores do from the highest; NaN is last."""
    bits = (score + np.float32(0)).view(np.uint32)  # + 0: makes -0 and 0 one
    negative = bits >> np.uint32(31) == 1
    ascending = np.where(negative, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    return np.where(np.isnan(score), LAST, LAST - ascending)


def _shuffle(images: NDArray[np.int32], seed: int) -> NDArray[np.uint64]:
    """(R,) 32 random bits for each image number (splitmix64: Steele et al. 2014)."""
    state: NDArray[Any] = images.astype(np.uint64) + np.uint64((seed * 0xD1342543DE82EF95 + 1) % 2**64)
    state *= np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state >> np.uint64(32)
