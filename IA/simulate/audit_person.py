"""A simulated person with an audit: as with the server, a share of the questions is drawn at random; one process."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from IA import ranking
from IA.learning.learner import Learner, PoolSample
from IA.learning.projection import Projection
from IA.pool.spacing import spacing_sample
from IA.pool.view import ProjectedPool
from IA.ranking import Known
from IA.statistics.audit import Division, Sample, ScreeningState
from IA.statistics.draw import AuditSample

Truth = NDArray[np.bool_]

REFIT = 0.03  # The model learns after 3 % more answers; after each answer would take ten times as long.
SEED_OF_DRAWS = 1000  # Added to the person's seed, so that the draw is independent of the ranking.


class Model:
    """The engine: it asks in the order of its ranking, and knows only the answers to its own questions.

    Attributes:
        answers: to its questions, by the number of the image.
        probability: (N,) float32, of positive; NaN before it has learnt anything.
    """

    def __init__(self, space: Projection, vectors: Tensor, seed: int, validates: bool) -> None:
        """Begin without an answer.

        Args:
            space: of the pool.
            vectors: (N, D) float32, embeddings of the pool.
            seed: of the shuffle that breaks ties, and so chooses the first image.
            validates: whether to compute the threshold and calibrated probabilities, which take most of the time and do
                not change the order.
        """
        self.answers: dict[int, bool] = {}
        self.probability = np.full(len(vectors), np.nan, np.float32)
        self._seed = seed
        self._space = space
        self._view = ProjectedPool.from_vectors(space, vectors)
        self._spacing = self._view.spacing(spacing_sample(self._view))
        self._pool = PoolSample.from_vectors(vectors, space, seed) if validates else None
        not_judged = () if validates else range(len(vectors))
        self._learner: Learner[int] = Learner(lambda names: vectors[list(names)], validates, not_judged)
        self._learnt = -1
        self._ranked: Iterator[int] = iter(())

    @property
    def threshold(self) -> float:
        """The model calls an image positive if its probability is at least this."""
        return self._learner.threshold

    def next(self) -> int:
        """The image to ask now; put its answer into `answers` before the next call."""
        growth = REFIT * self._learnt if self._learner.head else 0
        if len(self.answers) - self._learnt > growth:
            self._learn()
        return next(self._ranked)

    def _learn(self) -> None:
        self._learnt = len(self.answers)
        self._view.answer(set(self.answers))
        if self._learner.learn(self.answers, self._space, self._pool) and self._learner.head:
            self.probability = self._view.probability(self._learner.head)
        asked = np.zeros(len(self.probability), bool)
        asked[list(self.answers)] = True
        known = Known(self.probability, self._view.novelty, spacing=self._spacing, labels=self.answers)
        self._ranked = iter(ranking.order(known, "max_prob", self._seed, asked).tolist())


class AuditedPerson:
    """Answers truthfully; a part of the questions is drawn at random.

    A drawn image stays in the ranking, and the model learns its answer when it would have asked for the image.

    Attributes:
        images: numbers of the images answered, in order.
        labels: whether each was positive.
        standing: the answers to the model's questions, and the random sample of the remaining images.
        model: asks the questions that are not drawn at random.
    """

    def __init__(
        self,
        space: Projection,
        vectors: Tensor,
        truth: Truth,
        seed: int,
        share: float,
        patience: float = math.inf,
        validates: bool = False,
    ) -> None:
        """Begin without an answer.

        Args:
            space: of the pool.
            vectors: (N, D) float32, embeddings of the pool.
            truth: (N,) bool.
            seed: of every random choice.
            share: of the questions that is drawn at random.
            patience: once a positive was found, and the model has asked this many negatives in a row, all questions are
                drawn.
            validates: whether `divided` will be called.
        """
        self.images: list[int] = []
        self.labels: list[bool] = []
        self.standing = ScreeningState(0, Sample(len(truth), 0, 0))
        self._truth = truth
        self._share = share
        self._patience = patience
        self.model = Model(space, vectors, seed, validates)
        self._random = np.random.default_rng([seed, SEED_OF_DRAWS])
        self._shuffled: Iterator[int] = iter(self._random.permutation(len(truth)).tolist())
        self._drawn: set[int] = set()  # answered, and not asked for by the model
        self._negatives_in_a_row = 0

    @property
    def left(self) -> int:
        """How many images have no answer."""
        return len(self._truth) - len(self.images)

    def answer(self) -> None:
        """Answer one more image; at least one must be left."""
        is_sampled = self._random.random() < self._share or self._negatives_in_a_row >= self._patience
        image = self._draw() if is_sampled else self._ask()
        self.images.append(image)
        self.labels.append(bool(self._truth[image]))
        self.standing = self._sample().screening(sum(self.labels))

    def _draw(self) -> int:
        """Draw the next image of a random order; the model does not learn its answer."""
        answers = self.model.answers
        image = next(image for image in self._shuffled if image not in self._drawn and image not in answers)
        self._drawn.add(image)
        return image

    def _ask(self) -> int:
        """Ask what the model asks; on the way it learns the answers of drawn images that it would have asked."""
        while (image := self.model.next()) in self._drawn:
            self._drawn.remove(image)
            self.model.answers[image] = bool(self._truth[image])
        is_positive = self.model.answers[image] = bool(self._truth[image])
        is_found = any(self.model.answers.values())
        self._negatives_in_a_row = self._negatives_in_a_row + 1 if is_found and not is_positive else 0
        return image

    def _sample(self) -> AuditSample:
        """The audit sample: all drawn images, as no other client holds one back here."""
        drawn = np.array(sorted(self._drawn), np.int32)
        is_open = np.ones(len(self._truth), bool)
        is_open[self.images] = False
        return AuditSample(is_open, drawn, self._truth[drawn])

    def divided(self) -> tuple[Division, int, int]:
        """Divide the images that the model has not asked by its threshold.

        Returns:
            The division by the audit sample, and the true numbers of positives above and below the threshold.
        """
        is_unselected = np.ones(len(self._truth), bool)
        is_unselected[list(self.model.answers)] = False
        is_above = self.model.probability >= self.model.threshold  # False before there is a probability
        return (
            self._sample().division(self.standing.found, is_above),
            int((is_unselected & is_above & self._truth).sum()),
            int((is_unselected & ~is_above & self._truth).sum()),
        )
