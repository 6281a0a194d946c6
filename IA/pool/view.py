"""The pool in one space: projection, probability and novelty of every image; tensors only, no files."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from IA.learning.head import Head
from IA.learning.kernel_cache import CHUNK, KernelCache
from IA.learning.projection import Projection

NEIGHBOURHOOD = 0.005  # The spacing around an image is the distance to the nearest of so many images of a sample,
LEAST_NEIGHBOURS = 4  # but to the fourth at least.
LEAST_SPACING = 1e-3  # Copies are no denser than this.

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class ProjectedPool:
    """Computes probability, novelty and similarity of images, by number, from their projected embeddings.

    Attributes:
        space: of the pool.
        novelty: (N,) float32, cosine distance to the nearest answered image; NaN where not embedded.
        similarity: (N,) float32, the largest cosine to an example; NaN where not embedded; None: without examples.
    """

    def __init__(self, space: Projection, images: int) -> None:
        """Begin with no image embedded and none answered."""
        self.space = space
        self.novelty: Floats = np.full(images, np.nan, np.float32)
        self._projected = torch.zeros(images, space.basis.shape[1])
        self._embedded = np.zeros(images, bool)
        self._answered: set[int] = set()
        self._nearest = np.full(images, -1, np.int32)  # The nearest answered image, to which novelty is the distance.
        self._columns: KernelCache | None = None
        self.similarity: Floats | None = None
        self._examples = torch.zeros(0, self._projected.shape[1])

    @classmethod
    def from_vectors(cls, space: Projection, vectors: torch.Tensor) -> "ProjectedPool":
        """A pool whose images are all embedded, by vectors (N, D) float32."""
        pool = cls(space, len(vectors))
        pool.put(np.arange(len(vectors)), vectors.numpy())
        return pool

    def grow(self, images: int) -> None:
        """Make room for `images` images in all."""
        more = max(images - len(self.novelty), 0)
        if more:
            self.novelty = np.pad(self.novelty, (0, more), constant_values=np.nan)
            self._projected = torch.cat([self._projected, torch.zeros(more, self._projected.shape[1])])
            self._embedded = np.pad(self._embedded, (0, more))
            self._nearest = np.pad(self._nearest, (0, more), constant_values=-1)
            if self.similarity is not None:
                self.similarity = np.pad(self.similarity, (0, more), constant_values=np.nan)
            self._columns = None

    @property
    def embedded(self) -> Numbers:
        """Numbers of the embedded images."""
        return np.flatnonzero(self._embedded)

    def vectors(self, numbers: Numbers) -> Floats:
        """Projected embeddings (n, K) of length 1; zeros where an image is not embedded."""
        found: Floats = self._projected[torch.from_numpy(numbers)].numpy()
        return found

    def put(self, numbers: Numbers, vectors: Floats) -> None:
        """Take up new embeddings (n, D) of images."""
        rows = torch.from_numpy(numbers)
        self._projected[rows] = self.space.project(torch.from_numpy(vectors))
        self._embedded[numbers] = True
        self.novelty[numbers] = np.inf
        self._nearest[numbers] = -1
        self._measure(numbers, np.fromiter(self._answered, np.int64))
        self._compare(numbers)
        if self._columns is not None:
            self._columns.refresh(rows)

    def drop(self, numbers: Numbers) -> None:
        """Forget the embeddings of these images."""
        self._embedded[numbers] = False
        self.novelty[numbers] = np.nan
        if self.similarity is not None:
            self.similarity[numbers] = np.nan
        self._forget(set(numbers.tolist()) & self._answered)

    def answer(self, answered: set[int]) -> set[int]:
        """Bring novelty up to date with the set of answered images; returns those of them that are embedded."""
        now = {number for number in answered if self._embedded[number]}
        self._forget(self._answered - now)
        come = now - self._answered
        self._answered = now
        self._measure(None, np.fromiter(come, np.int64))
        return now

    def compare_to_examples(self, examples: Floats | None) -> None:
        """Compare every image with these examples, embeddings (E, D), from now on; None: there are no examples."""
        if examples is None or not len(examples):
            self.similarity = None
            return
        self._examples = self.space.project(torch.from_numpy(examples))
        self.similarity = np.full(len(self.novelty), np.nan, np.float32)
        self._compare(self.embedded)

    def probability(self, head: Head, numbers: Numbers | None = None) -> Floats:
        """Probability of positive by a head of this space.

        Args:
            head: learnt in this space.
            numbers: (n,) of embedded images; None: all of them, fast when the head shares support vectors with the last
                one.

        Returns:
            (n,) or (N,) float32; NaN where not embedded.
        """
        if numbers is not None:
            some: Floats = head.probabilities(self._projected[torch.from_numpy(numbers)]).numpy()
            return some
        if self._columns is None:
            self._columns = KernelCache(self._projected)
        probability: Floats = head.calibrated(self._columns.scores(head)).numpy()
        probability[~self._embedded] = np.nan
        return probability

    def projected(self, numbers: Numbers) -> torch.Tensor:
        """(n, K) float32, images in this space; zeros where one is not embedded."""
        return self._projected[torch.from_numpy(numbers)]

    def along(self, function: Floats) -> Floats:
        """(N,) float32, the product of each image with a function (K,) on this space; NaN where not embedded."""
        products: Floats = (self._projected @ torch.from_numpy(function)).numpy()
        products[~self._embedded] = np.nan
        return products

    def spacing(self, sample: Numbers) -> Floats:
        """How far apart the images are around each image.

        Args:
            sample: (m,) numbers of a random sample of the embedded images.

        Returns:
            (N,) float32, the cosine distance to the nearest two-hundredth of the sample, at least `LEAST_SPACING`; NaN
            where not embedded.
        """
        spacing = np.full(len(self.novelty), np.nan, np.float32)
        among = self._projected[torch.from_numpy(sample)].T  # (K, m)
        place = (
            max(LEAST_NEIGHBOURS, round(NEIGHBOURHOOD * len(sample))) + 1
        )  # an image of the sample is nearest itself
        for some in self._chunks(self.embedded) if len(sample) >= place else ():
            nearest = (self._projected[some] @ among).topk(place, dim=1, sorted=True).values[:, -1]  # (B,)
            spacing[some] = np.maximum(1 - nearest.numpy(), LEAST_SPACING)
        return spacing

    def nearest(self, number: int, among: Numbers, count: int) -> list[tuple[int, float]]:
        """Those of some images that are most similar to an image, each with its cosine, the most similar first.

        Args:
            number: of an embedded image.
            among: (n,) numbers to choose from; images without an embedding, and `number` itself, are left out.
            count: how many at most.
        """
        others = among[self._embedded[among] & (among != number)]
        similarity = self._projected[torch.from_numpy(others)] @ self._projected[number]  # (n,)
        best = similarity.topk(min(count, len(others)))
        cosines = best.values.clamp(-1, 1).tolist()
        return list(zip(others[best.indices.numpy()].tolist(), cosines, strict=True))

    def most_similar(self, number: int, leave_out: Numbers, count: int) -> list[tuple[int, float]]:
        """The images most similar to an image, each with its cosine, the most similar first.

        Args:
            number: of an embedded image.
            leave_out: (n,) numbers of images to leave out, besides `number` itself.
            count: how many at most.
        """
        similarity = self._projected @ self._projected[number]  # (N,)
        similarity[torch.from_numpy(~self._embedded)] = -torch.inf
        similarity[torch.from_numpy(np.append(leave_out, number))] = -torch.inf
        best = similarity.topk(min(count, len(similarity)))
        found = zip(best.indices.tolist(), best.values.clamp(max=1).tolist(), strict=True)
        return [(image, max(cosine, -1.0)) for image, cosine in found if cosine > -math.inf]

    def _compare(self, numbers: Numbers) -> None:
        """Fill in the similarity of these images to the examples."""
        if self.similarity is None:
            return
        for some in self._chunks(numbers):
            cosine = (self._projected[some] @ self._examples.T).max(dim=1).values
            self.similarity[some] = cosine.clamp(-1, 1).numpy()

    def _forget(self, gone: set[int]) -> None:
        """Count these images as answered no longer; images that were nearest to them get another neighbour."""
        self._answered -= gone
        if gone:
            orphans = np.flatnonzero(np.isin(self._nearest, np.fromiter(gone, np.int64)) & self._embedded)
            self.novelty[orphans] = np.inf
            self._nearest[orphans] = -1
            self._measure(orphans, np.fromiter(self._answered, np.int64))

    def _measure(self, numbers: Numbers | None, answered: Numbers) -> None:
        """Lower the novelty of these images, None: of all, to the distance to the nearest of these answered images."""
        for some in self._chunks(numbers) if len(answered) else ():
            similarity, place = (self._projected[some] @ self._projected[answered].T).max(dim=1)
            distance = np.maximum(1 - similarity.numpy(), 0)
            nearer = distance < self.novelty[some]  # False where novelty is NaN
            self.novelty[some] = np.where(nearer, distance, self.novelty[some])
            self._nearest[some] = np.where(nearer, answered[place.numpy()], self._nearest[some])

    def _chunks(self, numbers: Numbers | None) -> Iterator[slice | Numbers]:
        """Parts of the numbers; None: slices of all images, which need no copy."""
        size = len(self.novelty) if numbers is None else len(numbers)
        for start in range(0, size, CHUNK):
            yield slice(start, start + CHUNK) if numbers is None else numbers[start : start + CHUNK]
