"""The pool of images as the head sees it: which are embedded, their projections, probability and novelty."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from IA.embeddings import Embeddings, key
from IA.head import Head, pool_features, project

CHUNK = 8192  # images projected or scored at a time

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class Pool:
    """Every image by number; the embeddings themselves stay in the memory-mapped cache.

    Attributes:
        probability: (N,) float32 of positive; NaN where not scored.
        novelty: (N,) float32, cosine distance to the nearest answered image; NaN where not embedded.
    """

    def __init__(self, cache: Embeddings) -> None:
        self._cache = cache
        self._keys = np.zeros(0, np.uint64)
        self._rows = np.zeros(0, np.int64)
        self._failed = np.zeros(0, np.uint64)  # the key under which an image could not be read
        self._projected = torch.zeros(0, 1)
        self._mean: torch.Tensor | None = None
        self._basis: torch.Tensor | None = None
        self._answered: set[int] = set()
        self._nearest = np.zeros(0, np.int64)
        self.probability: Floats = np.zeros(0, np.float32)
        self.novelty: Floats = np.zeros(0, np.float32)

    def __len__(self) -> int:
        """How many images there are, embedded or not."""
        return len(self._keys)

    @property
    def is_projected(self) -> bool:
        """Whether there is a basis to see the images by."""
        return self._basis is not None

    @property
    def embedded(self) -> int:
        """How many images have an embedding."""
        return int((self._rows >= 0).sum())

    @property
    def unreadable(self) -> Numbers:
        """Numbers of the images that could not be decoded as they are now."""
        return np.flatnonzero((self._failed != 0) & (self._failed == self._keys))

    def follow(self, datadir: Path, paths: Sequence[str]) -> None:
        """Take up the list of images; what is new or changed on the disk is missing its embedding."""
        keys = np.array([key(datadir, path) or 0 for path in paths], np.uint64)
        self._grow(len(paths))
        changed = np.flatnonzero(keys != self._keys)
        self._keys = keys
        self._place(changed)

    def missing(self) -> Numbers:
        """Numbers of the images that are still to be embedded."""
        return np.flatnonzero((self._keys != 0) & (self._rows < 0) & (self._failed != self._keys))

    def add(self, numbers: Numbers, vectors: Floats) -> None:
        """Keep the embeddings (B, D) of these images."""
        self._cache.append(self._keys[numbers], vectors)
        self._place(numbers)

    def fail(self, number: int) -> None:
        """Remember that an image cannot be decoded, until its file changes."""
        self._failed[number] = self._keys[number]

    def lose(self, number: int) -> None:
        """Forget an image whose file went away, until it is listed anew."""
        self._keys[number] = 0

    def sample(self, size: int, seed: int = 0) -> Floats:
        """Embeddings (n, D) of at most `size` images drawn at random."""
        rows = self._rows[self._rows >= 0]
        if len(rows) > size:
            rows = np.random.default_rng(seed).choice(rows, size, replace=False)
        return self._cache.vectors(np.sort(rows))

    def features(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean (D,) and PCA basis (D, K) of a sample of the pool."""
        return pool_features(torch.from_numpy(self.sample(size)))

    def look_through(self, mean: torch.Tensor, basis: torch.Tensor) -> None:
        """Project everything on this basis (D, K); probability and novelty begin anew if it is another one."""
        if self._basis is not None and self._mean is not None:
            same = self._basis.shape == basis.shape and torch.equal(self._basis, basis)
            if same and torch.equal(self._mean, mean):
                return
        self._mean, self._basis = mean.clone(), basis.clone()
        self._projected = torch.zeros(len(self), basis.shape[1])
        self.probability[:] = np.nan
        self.novelty[:] = np.nan
        self._answered.clear()
        self._project(np.flatnonzero(self._rows >= 0))

    def answer(self, answered: Iterable[int]) -> set[int]:
        """Bring novelty up to date with the set of answered images; returns those of them that are embedded."""
        now = {number for number in answered if self._rows[number] >= 0}
        gone = np.fromiter(self._answered - now, np.int64)
        come = np.fromiter(now - self._answered, np.int64)
        self._answered = now
        if len(gone):
            orphans = np.flatnonzero(np.isin(self._nearest, gone))
            self._measure(orphans, np.fromiter(now, np.int64), afresh=True)
        self._measure(np.flatnonzero(self._rows >= 0), come, afresh=False)
        return now

    def score(self, head: Head, anew: bool) -> int:
        """Fill in the probability of all embedded images, or of those only that have none yet; returns how many."""
        numbers = np.flatnonzero((self._rows >= 0) & (anew | np.isnan(self.probability)))
        for chunk in _chunks(numbers):
            self.probability[chunk] = head.probabilities(self._projected[chunk]).numpy()
        return len(numbers)

    # --- within -------------------------------------------------------------------------------------------------------

    def _grow(self, size: int) -> None:
        more = max(size - len(self), 0)
        self._keys = np.pad(self._keys, (0, more))
        self._failed = np.pad(self._failed, (0, more))
        self._rows = np.pad(self._rows, (0, more), constant_values=-1)
        self._nearest = np.pad(self._nearest, (0, more), constant_values=-1)
        self.probability = np.pad(self.probability, (0, more), constant_values=np.nan)
        self.novelty = np.pad(self.novelty, (0, more), constant_values=np.nan)
        self._projected = torch.cat([self._projected, torch.zeros(more, self._projected.shape[1])])

    def _place(self, numbers: Numbers) -> None:
        """Look up the rows of these images, and forget what was known of their old content."""
        self._rows[numbers] = np.where(self._keys[numbers] != 0, self._cache.rows(self._keys[numbers]), -1)
        self.probability[numbers] = np.nan
        self.novelty[numbers] = np.nan
        self._answered.difference_update(numbers.tolist())
        if self._basis is not None:
            self._project(numbers[self._rows[numbers] >= 0])

    def _project(self, numbers: Numbers) -> None:
        if self._mean is None or self._basis is None:
            return
        for chunk in _chunks(numbers):
            vectors = torch.from_numpy(self._cache.vectors(self._rows[chunk]))
            self._projected[chunk] = project(vectors, self._mean, self._basis)
        answered = np.fromiter(self._answered, np.int64)
        self._measure(numbers, answered, afresh=True)

    def _measure(self, numbers: Numbers, answered: Numbers, afresh: bool) -> None:
        """Distance of these images to the nearest of these answered ones, or to the one known, if that is nearer."""
        if afresh:
            self.novelty[numbers] = np.inf
            self._nearest[numbers] = -1
        if not len(answered):
            return
        for chunk in _chunks(numbers):
            similarity, place = (self._projected[chunk] @ self._projected[answered].T).max(dim=1)
            distance = 1 - similarity.numpy()
            nearer = distance < self.novelty[chunk]
            self.novelty[chunk[nearer]] = np.maximum(distance[nearer], 0)
            self._nearest[chunk[nearer]] = answered[place.numpy()[nearer]]


def _chunks(numbers: Numbers) -> Iterable[Numbers]:
    return (numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK))
