"""One simulated person and the real engine (cold start, head, strategy) in one process; no files, no clock."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from config import DEFAULT_STRATEGY
from IA import ranking
from IA.learning.calibration import expected_calibration_error
from IA.learning.learner import Learner, PoolSample
from IA.learning.projection import Projection
from IA.pool.spacing import spacing_sample
from IA.pool.view import ProjectedPool
from IA.prior.combining import combined
from IA.ranking import Known

Truth = NDArray[np.bool_]

COUNTS = (20, 25, 50, 100, 200, 400)
RECALL = 0.95
MIXED, FARTHEST, RANDOM = "mixed", "farthest", "random"  # How the first of either answer is searched.
# After these numbers of answers, the predictions for all remaining images are compared with the truth.
LOOKS_AT = (50, 75, 100, 150, 220, 300, 400)
FACTOR, MARGIN = 1.5, 5  # The expected count of positives holds if it is within this factor or margin of the truth.


@dataclass(frozen=True)
class Remainder:
    """The probabilities of the unreviewed images at one moment, compared with the truth.

    Attributes:
        expected: sum of the probabilities.
        positives: how many are positive.
        error: expected calibration error over all of them.
        answers: how many answers there were.
    """

    expected: float
    positives: int
    error: float
    answers: int = 0

    @property
    def holds(self) -> bool:
        """Whether the expected count is right within `FACTOR` or `MARGIN`."""
        low, high = sorted((self.expected, self.positives))
        return high - low <= MARGIN or (low > 0 and high / low <= FACTOR)


@dataclass
class Course:
    """The images that were asked, in order, and what the engine predicted.

    Attributes:
        images: numbers of the images asked.
        labels: whether each was positive.
        shown: probability of positive when asked; NaN before there was a model.
        held_out: probability of the held-out images at the end; empty without held-out images.
        remainders: of the remaining images after `LOOKS_AT` answers, up to half of the pool.
    """

    images: list[int] = field(default_factory=list)
    labels: list[bool] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    held_out: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    remainders: list[Remainder] = field(default_factory=list)

    def remainders_before(self, answers: int) -> list[Remainder]:
        """The remainders at fewer answers."""
        return [each for each in self.remainders if each.answers < answers]

    def remainders_from(self, answers: int) -> list[Remainder]:
        """The remainders at that many answers or more."""
        return [each for each in self.remainders if each.answers >= answers]


def simulate(
    vectors: Tensor,
    truth: Truth,
    answers: int,
    strategy: str = DEFAULT_STRATEGY,
    seed: int = 0,
    held_out: Tensor | None = None,
    examples: Tensor | None = None,
    begun: Sequence[int] = (),
    prior: NDArray[np.float32] | None = None,
    search: str = MIXED,
) -> Course:
    """Answer the engine's questions truthfully, one image at a time.

    Args:
        vectors: (N, D) float32, embeddings of the pool.
        truth: (N,) bool.
        answers: how many at most.
        strategy: one of `IA.strategies.STRATEGIES`.
        seed: of the shuffle that breaks ties, and so chooses the first image.
        held_out: (M, D) float32, embeddings of images that are never asked.
        examples: (E, D) float32, embeddings of positives outside the pool, to begin with.
        begun: images that are asked first, in this order.
        prior: (N,) float32, what is known before any answer, see `IA.ranking.Known`; None: nothing.
        search: `MIXED`, `FARTHEST` or `RANDOM`.

    Returns:
        The course of the answers.
    """
    space = Projection.from_vectors(vectors)
    view = ProjectedPool.from_vectors(space, vectors)
    view.compare_to_examples(None if examples is None else examples.numpy())
    learner: Learner[int] = Learner(lambda names: vectors[list(names)], validates=False)
    learner.examples = examples
    pool = PoolSample.from_vectors(vectors, space, seed)
    probability = np.full(len(vectors), np.nan, np.float32)
    spacing = view.spacing(spacing_sample(view)) if search == MIXED else None
    course, asked = Course(), np.zeros(len(vectors), bool)
    for _ in range(min(answers, len(vectors))):
        if len(course.images) < len(begun):
            image = begun[len(course.images)]
        else:
            known = Known(
                probability,
                view.novelty,
                _given(prior, view.similarity if learner.head is None else None),
                spacing,
                dict(zip(course.images, course.labels, strict=True)),
            )
            by = RANDOM if search == RANDOM and learner.head is None else strategy
            image = int(ranking.order(known, by, seed, asked)[0])
        course.images.append(image)
        course.labels.append(bool(truth[image]))
        course.shown.append(float(probability[image]))
        asked[image] = True
        view.answer(set(course.images))
        if learner.learn(dict(zip(course.images, course.labels, strict=True)), space, pool) and learner.head:
            probability = view.probability(learner.head)
            if len(course.images) in LOOKS_AT and len(course.images) <= len(vectors) / 2:
                course.remainders.append(_remainder(probability[~asked], truth[~asked], len(course.images)))
    if held_out is not None and learner.head is not None:
        course.held_out = learner.head(held_out).numpy()
    return course


def _given(prior: NDArray[np.float32] | None, similarity: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """What a person has said: a prior, examples, or both."""
    sources = [each for each in (prior, similarity) if each is not None]
    return combined(sources) if sources else None


def _remainder(probability: NDArray[np.float32], truth: Truth, answers: int) -> Remainder:
    error = expected_calibration_error(torch.from_numpy(probability), torch.from_numpy(truth))
    return Remainder(float(probability.sum()), int(truth.sum()), error, answers)


def figures(course: Course, positives: int, images: int, held_out: Truth | None = None) -> dict[str, float]:
    """The figures of a course of answers.

    Args:
        course: of the answers.
        positives: how many there were in the pool.
        images: how many images there were.
        held_out: (M,) the truth about the held-out images.

    Returns:
        `found@25` and so on: positives found after that many answers.
        `nAUC`: area under the curve of positives found, on a scale where a random order has 0 and positives alone 1.
        `first`: answers to the first positive.
        `to 95 %`: answers until 95 % of the positives are found.
        `WSS@95`: the share of the pool that these answers save, compared with a random order (Cohen et al. 2006).
        `ECE`: expected calibration error of the probabilities shown.
        `ECE, all left`: the same of all unreviewed images, mean of several moments.
        `count holds`: the share of these moments at which the sum of the probabilities was right within a factor of
        1.5, or within 5 positives.
        `AUC`: on the held-out images.
        Figures that the course did not reach are infinite or NaN.
    """
    found = np.cumsum(course.labels)
    asked = np.arange(1, len(found) + 1)
    chance = asked * positives / images
    best = np.minimum(asked, positives)
    enough = _first(found >= math.ceil(RECALL * positives))
    shown, labels = np.array(course.shown, np.float32), np.array(course.labels)
    known = ~np.isnan(shown)
    return {
        **{f"found@{count}": float(found[count - 1]) for count in COUNTS if count <= len(found)},
        "nAUC": float((found - chance).sum() / (best - chance).sum()),
        "first": _first(found >= 1),
        "to 95 %": enough,
        "WSS@95": RECALL - enough / images if math.isfinite(enough) else math.nan,
        "ECE": expected_calibration_error(torch.from_numpy(shown[known]), torch.from_numpy(labels[known])),
        "ECE, all left": _mean([each.error for each in course.remainders]),
        "count holds": _mean([float(each.holds) for each in course.remainders]),
        "AUC": math.nan if held_out is None else _auc(course.held_out, held_out),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _first(reached: Truth) -> float:
    """The number of answers at which the first True stands; infinite if there is none."""
    return float(np.argmax(reached) + 1) if reached.any() else math.inf


def _auc(probability: NDArray[np.float32], truth: Truth) -> float:
    """The chance that a positive ranks before a negative, a tie counting half (Mann and Whitney 1947); NaN if empty."""
    if not len(probability) or truth.all() or not truth.any():
        return math.nan
    positive, negative = np.sort(probability[truth]), probability[~truth]
    above = (
        len(positive) - (np.searchsorted(positive, negative, "left") + np.searchsorted(positive, negative, "right")) / 2
    )
    return float(above.mean() / len(positive))
