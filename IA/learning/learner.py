"""The learner: from the answers, as they come, to the head, its calibration and its threshold; no files."""

import math
from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from typing import Generic

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from IA.learning.calibration import WINDOW, Name, Prequential, Remaining, platt
from IA.learning.head import Head, best_threshold, cross_fitted_scores, validation
from IA.learning.kernel_cache import KernelCache
from IA.learning.projection import Projection

BLOCK = (
    5  # Many answers that come at once are learnt in blocks of five: a head predicts each block before it learns it.
)
POOL_SAMPLE = 4096  # A random sample of this many images calibrates the probabilities deep in the ranking.
EXAMPLES_UNTIL = 10  # Each positive answer replaces a tenth of the examples; after ten, no example counts.
VALIDATE_EVERY = 0.02  # Held-out figures are computed anew once there are 2 % more answers.


class PoolSample(Generic[Name]):
    """A random sample of the pool, whose unreviewed images stand for all unreviewed images."""

    def __init__(self, names: Sequence[Name], projected: Tensor, images: int) -> None:
        """Take up the sample.

        Args:
            names: (m,) of the sampled images.
            projected: (m, K) float32, as `Projection.project` gives them, in the space of the pool.
            images: how many images there are in the pool.
        """
        self._names = names
        self._columns = KernelCache(projected)
        self._weight = images / max(1, len(names))

    @classmethod
    def from_vectors(cls, vectors: Tensor, space: Projection, seed: int) -> "PoolSample[int]":
        """A sample of a pool (N, D) whose images are all embedded; the names are the images' numbers."""
        sampled = torch.randperm(len(vectors), generator=torch.Generator().manual_seed(seed))[:POOL_SAMPLE]
        return PoolSample(sampled.tolist(), space.project(vectors[sampled]), len(vectors))

    def remaining(self, head: Head, reviewed: Container[Name]) -> Remaining:
        """The scores that the head gives to the unreviewed images of the sample."""
        is_unreviewed = torch.tensor([name not in reviewed for name in self._names], dtype=torch.bool)
        return Remaining(self._columns.scores(head)[is_unreviewed], self._weight)


class Learner(Generic[Name]):
    """Learns anew from all answers whenever one comes, and remembers what it predicted before.

    Attributes:
        head: the newest head, calibrated; None before there are answers of both kinds.
        threshold: an image whose probability is at least this is called positive; tuned on held-out answers and on the
            unreviewed images.
        held_out: probability of each answered image by a head that had not learnt it; empty with few answers.
        figures: of validation (see `IA.learning.head.validation`) and of prequential calibration.
        examples: (E, D) embeddings of pictures of what a person looks for, which are not in the pool. The head learns
            them as positives, fewer with each positive answer; calibration and figures leave them out.
        group_of: the group of an image; near duplicates have the same, and no held-out split separates them.
        asked: what was predicted for each answer before it was given.
    """

    def __init__(
        self,
        vectors_of: Callable[[Sequence[Name]], Tensor],
        validates: bool = True,
        learnt: Container[Name] = frozenset(),
    ) -> None:
        """Begin without any answer.

        Args:
            vectors_of: gives the embeddings (n, D) of images by name; called once for each image and space.
            validates: whether to compute the threshold and held-out figures.
            learnt: answers that the backbone itself has learnt. They cannot tell how good a head is, so calibration and
                figures leave them out.
        """
        self.head: Head | None = None
        self.threshold = 0.5
        self.held_out: dict[Name, float] = {}
        self.figures: dict[str, float] = {}
        self._vectors_of = vectors_of
        self._validates = validates
        self._learnt = learnt
        self.group_of: Callable[[Name], Hashable] = lambda name: name
        self.examples: Tensor | None = None
        self._validated = 0
        self._space: Projection | None = None
        self._projected: dict[Name, Tensor] = {}
        self.asked: Prequential[Name] = Prequential()
        self._remaining: Remaining | None = None
        self._seen: set[Name] = set()

    def learn(
        self,
        labels: Mapping[Name, bool],
        space: Projection,
        pool: PoolSample[Name] | None = None,
        reviewed: Container[Name] | None = None,
    ) -> bool:
        """Learn from all answers.

        Args:
            labels: of all answers, by the name of the image, in the order answered.
            space: of the pool.
            pool: a sample of the pool in this space, which calibrates the probabilities deep in the ranking; None: the
                last answers alone calibrate them.
            reviewed: images that have an answer, skipped ones too; None: those of `labels`.

        Returns:
            Whether there is a new head; that takes answers of both kinds, or negative answers and examples.
        """
        if self._space is None or not self._space.is_same(space):
            self._space, self._projected = space, {}
        fresh = [name for name in labels if name not in self._seen and name not in self._learnt]
        self._seen.update(fresh)
        last = set(fresh[-WINDOW:])
        before = {name: label for name, label in labels.items() if name not in last}
        for start in range(max(0, len(fresh) - WINDOW), len(fresh), BLOCK):
            if self.head is None or start:
                self._fit(before)
            block = fresh[start : start + BLOCK]
            self._ask(block)
            before |= {name: labels[name] for name in block}
        if not self._fit(labels):
            return False
        self._calibrate(labels, pool, labels if reviewed is None else reviewed)
        if self._validates:
            self._validate(labels)
        return True

    def training_loss(self, labels: Mapping[Name, bool]) -> float:
        """Log loss, in nat, on the learnt answers; NaN before there is a head."""
        if self.head is None:
            return float("nan")
        projected, answers = self._stack(labels)
        return float(binary_cross_entropy(self.head.probabilities(projected), answers.float()))

    def _fit(self, labels: Mapping[Name, bool]) -> bool:
        kinds = set(labels.values())
        examples = self._examples_beside(labels)
        if self._space is None or False not in kinds or not (True in kinds or len(examples)):
            return False
        curve = self.head.curve if self.head is not None else None
        projected, answers = self._stack(labels)
        if len(examples):
            projected = torch.cat([projected, self._space.project(examples)])
            answers = torch.cat([answers, torch.ones(len(examples), dtype=torch.bool)])
        self.head = Head.fit(projected, answers, self._space)
        if curve is not None:
            self.head.curve = curve
        return True

    def _examples_beside(self, labels: Mapping[Name, bool]) -> Tensor:
        """The examples (e, D) to learn beside these answers; the more answers are positive, the fewer examples."""
        if self.examples is None:
            return torch.zeros(0, 0)
        share = max(0.0, 1 - sum(labels.values()) / EXAMPLES_UNTIL)
        return self.examples[: math.ceil(share * len(self.examples))]

    def _stack(self, labels: Mapping[Name, bool]) -> tuple[Tensor, Tensor]:
        """Projections (n, K) and labels (n,) bool."""
        missing = [name for name in labels if name not in self._projected]
        if missing and self._space is not None:
            rows = self._space.project(self._vectors_of(missing))
            self._projected |= dict(zip(missing, rows, strict=True))
        return torch.stack([self._projected[name] for name in labels]), torch.tensor(list(labels.values()))

    def _ask(self, names: Sequence[Name]) -> None:
        if self.head is None:
            return
        scores = self.head.scores(self.head.project(self._vectors_of(names)))
        for name, score, probability in zip(names, scores, self.head.calibrated(scores), strict=True):
            self.asked.ask(name, float(score), float(probability))

    def _calibrate(self, labels: Mapping[Name, bool], pool: PoolSample[Name] | None, reviewed: Container[Name]) -> None:
        if self.head is not None:
            self._remaining = None if pool is None else pool.remaining(self.head, reviewed)
            self.head.curve = self.asked.calibration(labels, self._remaining)

    def _validate(self, labels: Mapping[Name, bool]) -> None:
        if self.head is None:
            return
        if abs(len(labels) - self._validated) > VALIDATE_EVERY * self._validated:
            self._validated = len(labels)
            projected, answers = self._stack(labels)
            groups = [self.group_of(name) for name in labels]
            scores = cross_fitted_scores(projected, answers, groups=groups)
            scores[[name in self._learnt for name in labels]] = torch.nan
            self.figures = validation(self.head.logits(scores), answers)
            self.threshold = self.figures.pop("threshold", 0.5)
            if self.figures and self._remaining is not None:
                self.threshold = threshold_for_all(self.head, scores, answers, self._remaining)
            predicted = as_probabilities(scores, answers).tolist() if self.figures else [math.nan] * len(labels)
            self.held_out = {
                name: value for name, value in zip(labels, predicted, strict=True) if not math.isnan(value)
            }
        self.figures |= self.asked.figures(labels)


def threshold_for_all(head: Head, scores: Tensor, answers: Tensor, remaining: Remaining) -> float:
    """The threshold with the highest expected F1 over the whole pool: over held-out answers and unreviewed images.

    The model chose the answered images. The threshold that is best for them alone would call far too many of the other
    images positive.

    Args:
        head: calibrated; predicts the unreviewed images.
        scores: (n,) float32, of the answers by heads that had not learnt them; NaN where an answer has no score.
        answers: (n,) bool.
        remaining: of the unreviewed images.
    """
    known = ~scores.isnan()
    answered, probability = head.calibrated(scores[known]), head.calibrated(remaining.scores)
    likely = torch.cat([answers[known].float(), probability])
    weights = torch.cat([torch.ones(len(answered)), torch.full((len(probability),), remaining.weight)])
    return best_threshold(torch.cat([answered, probability]), likely, weights)


def as_probabilities(scores: Tensor, labels: Tensor) -> Tensor:
    """Calibrate cross-fitted scores on all answers, with equal weights.

    The head itself is calibrated on the last answers, when positives have run out. With that calibration every earlier
    positive answer would look like an error.

    Args:
        scores: (n,) float32, from `cross_fitted_scores`; NaN where an answer has no score.
        labels: (n,) bool.

    Returns:
        (n,) float32 in [0, 1]; NaN where there is no score.
    """
    known = ~scores.isnan()
    scale, offset = platt(scores[known], labels[known])
    return torch.sigmoid(scale * scores + offset)
