"""The order in which images are asked: a search until both answers are known, and a strategy from then on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from IA.strategies import STRATEGIES

Floats = NDArray[np.float32]
Numbers = NDArray[np.int32]

LAST = np.uint64(0xFFFFFFFF)
ALL_FARTHEST = 40  # So many questions of a search without a prior are farthest-first alone.
ALL_PRIOR = 3  # The first questions of a search follow the prior,
OFTEN_PRIOR = 13  # up to this one every other question does, and every fourth from then on.
LOOK_AHEAD = 1024  # Orders take turns for so many questions; nobody asks further ahead.
SPREADING = 0.05  # With each answer, a question by the prior moves so much further away from the answered images,
SPREADING_AT_MOST = 1.0  # up to this: a standard deviation of novelty then counts as one of the prior.
PRIOR_WEIGHT = 0.5  # What the prior counts for beside the model for each standard deviation that positives have of it,
EXPECTED = 1.0  # which is taken for so many before a positive is found, as if one had shown it,
PRIOR_AT_MOST = 2.0  # and for no more than so many.
PRIOR_UNTIL = 30.0  # Once so many positives are found, the prior counts half.
EDGE = 1e-6  # Probabilities of 0 and 1 are taken for this and its opposite.


@dataclass(frozen=True)
class Known:
    """What is known of the N images of a pool; NaN where nothing is.

    Attributes:
        probability: (N,) float32, of positive.
        novelty: (N,) float32, distance to the nearest answered image.
        prior: (N,) float32, how well it fits what a person has said before any answer, of mean 0 and standard deviation
            1; None: a person has said nothing.
        spacing: (N,) float32, how far apart the images around it are; None: nobody knows.
        labels: whether an answered image is positive, by its number.
    """

    probability: Floats
    novelty: Floats
    prior: Floats | None = None
    spacing: Floats | None = None
    labels: Mapping[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError if the lengths differ."""
        lengths = {len(each) for each in (self.probability, self.novelty, self.prior, self.spacing) if each is not None}
        if len(lengths) > 1:
            raise ValueError(f"Figures for {' and '.join(map(str, sorted(lengths)))} images.")


def order(known: Known, strategy: str, seed: int, leave_out: NDArray[np.bool_]) -> Numbers:
    """Numbers of the images to ask, best first.

    While a strategy asks for something that is known of no image yet, such as a probability before the first model, the
    order is that of `_searching`. With a model, images that it has not scored come last. A shuffle breaks ties. It
    depends on the seed and the image alone, so that it stays as images are added and from call to call.

    Args:
        known: of the images.
        strategy: name of one of `STRATEGIES`.
        seed: of the shuffle.
        leave_out: (N,) bool, images that are answered, skipped, unreadable or gone.

    Returns:
        (R,) int32, one for each image that is not left out.

    Raises:
        ValueError: the lengths differ, or there is no such strategy.
    """
    if len(leave_out) != len(known.probability):
        raise ValueError(f"{len(leave_out)} flags for {len(known.probability)} images.")
    if strategy not in STRATEGIES:
        raise ValueError(f"There is no strategy {strategy!r}; choose one of {', '.join(STRATEGIES)}.")
    chosen = STRATEGIES[strategy]
    images = np.flatnonzero(~np.asarray(leave_out, dtype=np.bool_)).astype(np.int32)  # (R,)
    scores = {"probability": _believed(known), "novelty": known.novelty, "prior": known.prior}
    given = {name: np.asarray(values, dtype=np.float32) for name, values in scores.items() if values is not None}
    if any(name != "images" and (name not in given or np.isnan(given[name]).all()) for name in chosen.asks_for):
        return _searching(known, images, seed)
    of_images = {"images": images} | {name: values[images] for name, values in given.items()}
    score = np.array(chosen.score(**{name: of_images[name] for name in chosen.asks_for}), dtype=np.float32)
    if not np.isnan(given["probability"]).all():
        score[np.isnan(of_images["probability"])] = np.nan
    return images[_descending(score, images, seed)]


def _believed(known: Known) -> Floats:
    """(N,) float32, the probability of positive by the model and the prior together.

    The weight of the prior is learnt: the positives that are found say how many standard deviations of it positives
    have, which is nothing where it misleads (the slope of a linear discriminant; Fisher 1936). It falls with each
    positive, because the model knows ever better what is looked for.
    """
    if known.prior is None or np.isnan(known.probability).all():
        return known.probability
    shares = np.clip(known.probability.astype(np.float64), EDGE, 1 - EDGE)
    logits = np.log(shares / (1 - shares))
    found = np.nan_to_num(known.prior[[image for image, is_positive in known.labels.items() if is_positive]])
    shown = np.clip((EXPECTED + found.sum()) / (1 + len(found)), 0, PRIOR_AT_MOST)
    weight = PRIOR_WEIGHT * shown * PRIOR_UNTIL / (PRIOR_UNTIL + len(found)) * np.nanstd(logits)
    believed: Floats = (1 / (1 + np.exp(-logits - weight * np.nan_to_num(known.prior)))).astype(np.float32)
    return believed


# --- before both answers are known ------------------------------------------------------------------------------------


def _searching(known: Known, images: Numbers, seed: int) -> Numbers:
    """The order in which the first positive and the first negative are searched.

    Two orders take turns. Farthest-first (Gonzalez 1985) asks what differs most from all that was asked. It never looks
    into the middle of a crowd, images that are all alike. So after a while every third question comes from an order
    that measures distances by the spacing of the images around: what is far away in a crowd is near elsewhere. If a
    person has said something, the first questions follow the prior, then every other one, then every fourth. With each
    answer they move away from the answered images. So a prior that misleads costs little.
    """
    novelty = known.novelty[images]
    orders: dict[str, Floats] = {"farthest": novelty}
    if known.spacing is not None:
        orders["crowds"] = (novelty / np.sqrt(known.spacing[images])).astype(np.float32)
    answers = len(known.labels)
    if known.prior is not None and not np.isnan(known.prior).all():
        orders["prior"] = (known.prior[images] + _spreading(novelty, answers)).astype(np.float32)
    numbers = range(answers, answers + min(len(images), LOOK_AHEAD))
    turns = [whose if (whose := _whose_turn(number, "prior" in orders)) in orders else "farthest" for number in numbers]
    best = {name: _descending(score, images, seed) for name, score in orders.items()}
    return images[_taking_turns(best, turns)]


def _whose_turn(number: int, has_prior: bool) -> str:
    """Which order asks a question of the search, by its number from 0 on."""
    if has_prior and (number < ALL_PRIOR or number % (2 if number < OFTEN_PRIOR else 4) == 0):
        return "prior"
    return "crowds" if number % 3 == 0 and (has_prior or number >= ALL_FARTHEST) else "farthest"


def _spreading(novelty: Floats, answers: int) -> Floats:
    """(R,) float32, what distance from the answered images adds to the prior."""
    known = novelty[np.isfinite(novelty)]
    if not answers or not len(known) or known.std() == 0:
        return np.zeros(len(novelty), np.float32)
    weight = min(SPREADING_AT_MOST, SPREADING * answers)
    added: Floats = weight * np.nan_to_num((novelty - known.mean()) / known.std(), posinf=0)
    return added


def _taking_turns(best: Mapping[str, NDArray[np.int64]], turns: Sequence[str]) -> NDArray[np.int64]:
    """Several orders of the same R images become one.

    Args:
        best: by the name of each order, the places (R,) of the images, best first; the first order goes on alone after
            the last turn.
        turns: whose turn it is at each of the next questions.

    Returns:
        (R,) int64 places, each where the first order has it that asks it.
    """
    first, *_ = best
    count = len(best[first])
    questions = np.full(count, np.iinfo(np.int64).max)
    for name, order_of in best.items():
        own = np.flatnonzero(np.array(turns) == name)
        if name == first:
            own = np.append(own, np.arange(len(turns), len(turns) + count))
        asked = order_of[: len(own)]
        questions[asked] = np.minimum(questions[asked], own[: len(asked)])
    return np.argsort(questions, kind="stable")


# --- sorting ----------------------------------------------------------------------------------------------------------


def _descending(score: Floats, images: Numbers, seed: int) -> NDArray[np.int64]:
    """(R,) places of the images, the highest score first, NaN last, ties shuffled."""
    bits = (score + np.float32(0)).view(np.uint32)  # + 0: makes -0 and 0 one
    negative = bits >> np.uint32(31) == 1
    ascending = np.where(negative, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)
    key = np.where(np.isnan(score), LAST, LAST - ascending)
    return np.argsort((key << np.uint64(32)) | _shuffle(images, seed), kind="stable")


def _shuffle(images: Numbers, seed: int) -> NDArray[np.uint64]:
    """(R,) 32 random bits for each image number (splitmix64: Steele et al. 2014)."""
    state: NDArray[Any] = images.astype(np.uint64) + np.uint64((seed * 0xD1342543DE82EF95 + 1) % 2**64)
    state *= np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state >> np.uint64(32)
