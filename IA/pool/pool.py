"""The pool of images: which images are embedded, which cannot be, and what the head predicts for them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from IA.embedding.cache import Store
from IA.embedding.cache import keys as keys_of
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.pool.view import Floats, Numbers, ProjectedPool

CHUNK = 65_536  # Embeddings are read from the cache this many at a time.


class Pool:
    """Every image by number; the embeddings themselves stay in the memory-mapped cache.

    Attributes:
        probability: (N,) float32 of positive; NaN where not scored.
    """

    def __init__(self, cache: Store) -> None:
        self._cache = cache
        self._keys = np.zeros(0, np.uint64)
        self._rows = np.zeros(0, np.int64)
        self._failed = np.zeros(0, np.uint64)  # The key under which an image could not be read, 0 for the others.
        self._view: ProjectedPool | None = None
        self.probability: Floats = np.zeros(0, np.float32)
        self._examples: Floats | None = None

    def __len__(self) -> int:
        """How many images there are, embedded or not."""
        return len(self._keys)

    @property
    def novelty(self) -> Floats:
        """(N,) float32, cosine distance to the nearest answered image; NaN where not embedded, or without a view."""
        return np.full(len(self), np.nan, np.float32) if self._view is None else self._view.novelty

    @property
    def embedded(self) -> int:
        """How many images have an embedding."""
        return int((self._rows >= 0).sum())

    @property
    def keys(self) -> NDArray[np.uint64]:
        """(N,) keys that name the content of each image; 0 where the file does not exist."""
        return self._keys

    @property
    def view(self) -> ProjectedPool | None:
        """All embedded images in one space; a new object once the space changes, None before there is a space."""
        return self._view

    @property
    def unreadable(self) -> Numbers:
        """Numbers of the images that could not be decoded, and whose files have not changed since."""
        return np.flatnonzero((self._failed != 0) & (self._failed == self._keys))

    def follow(self, datadir: Path, paths: Sequence[str]) -> None:
        """Take up the list of images; an image that is new or has changed on the disk needs an embedding."""
        self.follow_keys(np.array([known or 0 for known in keys_of(datadir, paths)], np.uint64))

    def follow_keys(self, keys: NDArray[np.uint64]) -> None:
        """Take up the images by the keys that another pool has found, see `keys`."""
        more = len(keys) - len(self)
        self._keys = np.pad(self._keys, (0, more))
        self._failed = np.pad(self._failed, (0, more))
        self._rows = np.pad(self._rows, (0, more), constant_values=-1)
        self.probability = np.pad(self.probability, (0, more), constant_values=np.nan)
        if self._view is not None:
            self._view.grow(len(keys))
        changed = np.flatnonzero(keys != self._keys)
        self._keys = keys.copy()
        self._place(changed)

    def missing(self) -> Numbers:
        """Numbers of the images that still need an embedding."""
        return np.flatnonzero((self._keys != 0) & (self._rows < 0) & (self._failed != self._keys))

    def add(self, numbers: Numbers, vectors: Floats) -> None:
        """Store the embeddings (B, D) of these images."""
        self._cache.append(self._keys[numbers], vectors)
        self._place(numbers)

    def find(self) -> int:
        """Take up embeddings that another run has put into the cache; returns how many."""
        missing = self.missing()
        found = missing[self._cache.rows(self._keys[missing]) >= 0]
        self._place(found)
        return len(found)

    def fail(self, number: int) -> None:
        """Remember that an image cannot be decoded, until its file changes."""
        self._failed[number] = self._keys[number]

    def lose(self, number: int) -> None:
        """Forget an image whose file was deleted, until the next list of images."""
        self._keys[number] = 0

    def embeddings(self) -> tuple[Numbers, Floats]:
        """Numbers (n,) of the images that are embedded, and their embeddings (n, D)."""
        numbers = np.flatnonzero(self._rows >= 0)
        return numbers, self._cache.vectors(self._rows[numbers])

    def vectors(self, numbers: Numbers) -> torch.Tensor:
        """The embeddings (n, D) float32 of these images, which are embedded."""
        return torch.from_numpy(self._cache.vectors(self._rows[numbers]))

    def are_embedded(self, numbers: Numbers) -> NDArray[np.bool_]:
        """(n,) whether each of these images has an embedding."""
        return self._rows[numbers] >= 0

    def space(self, size: int, seed: int = 0) -> Projection:
        """The space of a random sample of at most `size` images."""
        return Projection.from_vectors(self.sample(size, seed)[1])

    def sample(self, size: int, seed: int = 1) -> tuple[NDArray[np.int32], torch.Tensor]:
        """A random sample: numbers (m,) of at most `size` images, and their embeddings (m, D) float32."""
        numbers = np.flatnonzero(self._rows >= 0)
        if len(numbers) > size:
            numbers = np.random.default_rng(seed).choice(numbers, size, replace=False)
        numbers = numbers[np.argsort(self._rows[numbers])]  # in their order on the disk
        return numbers.astype(np.int32), torch.from_numpy(self._cache.vectors(self._rows[numbers]))

    def enter(self, space: Projection) -> None:
        """Project every image into this space, unless it is the present one; call `score` and `answer` afterwards."""
        if self._view is None or not self._view.space.is_same(space):
            self._view = None  # two views at once would take too much memory at a million images
            self._view = ProjectedPool(space, len(self))
            self._view.compare_to_examples(self._examples)
            self.probability = np.full(len(self), np.nan, np.float32)
            self._project(np.flatnonzero(self._rows >= 0))

    def answer(self, answered: Iterable[int]) -> set[int]:
        """Bring novelty up to date with the set of answered images; returns those of them that are embedded."""
        return self._view.answer(set(answered)) if self._view is not None else set()

    def compare_to_examples(self, examples: Floats | None) -> None:
        """Compare every image with these examples, embeddings (E, D), from now on; None: there are no examples."""
        self._examples = examples
        if self._view is not None:
            self._view.compare_to_examples(examples)

    def score(self, head: Head, anew: bool) -> int:
        """Fill in probabilities.

        Args:
            head: gives the probabilities.
            anew: for every embedded image; otherwise only for images without a probability.

        Returns:
            How many images were scored.
        """
        if self._view is None:
            return 0
        if anew:
            self.probability = self._view.probability(head)
            return self.embedded
        numbers = np.flatnonzero((self._rows >= 0) & np.isnan(self.probability))
        self.probability[numbers] = self._view.probability(head, numbers)
        return len(numbers)

    def key(self, number: int) -> int | None:
        """The key of the content of an image; None while it has no embedding."""
        is_embedded = number < len(self) and self._rows[number] >= 0
        return int(self._keys[number]) if is_embedded else None

    def likeliest(self, count: int) -> list[int]:
        """Numbers of the `count` images most likely to be positive, the likeliest first; answered images count too."""
        probability = np.nan_to_num(self.probability, nan=-1.0)
        count = min(count, int((probability >= 0).sum()))
        places = np.argpartition(-probability, count - 1)[:count] if count else np.zeros(0, np.int64)
        best: list[int] = places[np.argsort(-probability[places], kind="stable")].tolist()
        return best

    # --- within -------------------------------------------------------------------------------------------------------

    def _place(self, numbers: Numbers) -> None:
        """Look up the rows of these images in the cache, and forget what was known of their old content."""
        self._rows[numbers] = np.where(self._keys[numbers] != 0, self._cache.rows(self._keys[numbers]), -1)
        self.probability[numbers] = np.nan
        if self._view is not None:
            self._view.drop(numbers)
            self._project(numbers[self._rows[numbers] >= 0])

    def _project(self, numbers: Numbers) -> None:
        """Project these images, in the order of the cache file."""
        if self._view is None:
            return
        numbers = numbers[np.argsort(self._rows[numbers], kind="stable")]
        for start in range(0, len(numbers), CHUNK):
            some = numbers[start : start + CHUNK]
            self._view.put(some, self._cache.vectors(self._rows[some]))
