"""The order in which images are asked: those with the best scores of a strategy first, ties shuffled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from IA.strategies import STRATEGIES

Floats = NDArray[np.float32]

LAST = np.uint64(0xFFFFFFFF)


def order(
    probability: Floats,
    novelty: Floats,
    strategy: str,
    seed: int,
    leave_out: NDArray[np.bool_],
    similarity: Floats | None = None,
) -> NDArray[np.int32]:
    """Numbers of the images to ask, best first.

    While a strategy asks for something that is known of no image yet, such as a probability before the first model,
    the most novel images come first (farthest-first: Gonzalez 1985), or with examples the ones most similar to them.
    With a model, images that it has not scored come last. A shuffle breaks ties. It depends on the seed and the image
    alone, so that it stays as images are added and from call to call.

    Args:
        probability: (N,) float32, of positive; NaN where not scored.
        novelty: (N,) float32, distance to the nearest answered image; NaN where not embedded.
        strategy: name of one of `STRATEGIES`.
        seed: of the shuffle.
        leave_out: (N,) bool, images that are answered, skipped, unreadable or gone.
        similarity: (N,) float32, to the nearest example; NaN where not embedded. None: there are no examples.

    Returns:
        (R,) int32, one for each image that is not left out.

    Raises:
        ValueError: the lengths differ, or there is no such strategy.
    """
    if not len(probability) == len(novelty) == len(leave_out) == len(novelty if similarity is None else similarity):
        raise ValueError(f"{len(probability)} probabilities, {len(novelty)} novelties, {len(leave_out)} flags.")
    if strategy not in STRATEGIES:
        raise ValueError(f"There is no strategy {strategy!r}; choose one of {', '.join(STRATEGIES)}.")
    chosen = STRATEGIES[strategy]
    images = np.flatnonzero(~np.asarray(leave_out, dtype=np.bool_)).astype(np.int32)  # (R,)
    scores = {"probability": probability, "novelty": novelty, "prior": similarity}
    given = {name: np.asarray(values, dtype=np.float32) for name, values in scores.items() if values is not None}
    if any(name != "images" and (name not in given or np.isnan(given[name]).all()) for name in chosen.asks_for):
        score = given.get("prior", given["novelty"])[images]
    else:
        known = {"images": images} | {name: values[images] for name, values in given.items()}
        score = np.array(chosen.score(**{name: known[name] for name in chosen.asks_for}), dtype=np.float32)
        if not np.isnan(given["probability"]).all():
            score[np.isnan(known["probability"])] = np.nan
    return images[np.argsort((_descending(score) << np.uint64(32)) | _shuffle(images, seed), kind="stable")]


def _descending(score: Floats) -> NDArray[np.uint64]:
    """(R,) numbers of 32 bit that sort like the scores from the highest to the lowest, NaN last."""
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
