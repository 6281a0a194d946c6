"""features.pickle describes the embedding space of the pool for the trainer, and is published again as it grows."""

import logging
from pathlib import Path

from IA.learning.learner import POOL_SAMPLE
from IA.learning.projection import Projection
from IA.networks import Backbone
from IA.pool.pool import Pool
from IA.pool.stream import FIRST_FEATURES
from IA.protocol.files import FEATURES
from IA.protocol.pickle_file import publish, read

log = logging.getLogger(__name__)

SPACE_SAMPLE = 20_000  # The space is computed from this many images at most.


class PoolDescription:
    """Publishes features.pickle for one backbone."""

    def __init__(self, run: Path, backbone: Backbone) -> None:
        """Begin with a pool that has not been described.

        Args:
            run: the run directory.
            backbone: whose embeddings are described.
        """
        self._run = run
        self._backbone = backbone
        self._images = 0  # How many embedded images the newest description rests on.

    @property
    def is_published(self) -> bool:
        """Whether features.pickle describes the pool as this backbone sees it."""
        return self._images > 0

    def resume(self) -> Projection | None:
        """The space that was published last, if it is of this backbone; the description goes on from there."""
        try:
            features = read(self._run, FEATURES).content
        except (OSError, ValueError):
            return None
        if features.backbone != self._backbone.fingerprint or len(features.mean) != self._backbone.dimension:
            return None
        self._images = features.images if len(features.sampled) else 0  # earlier versions published no sample
        return Projection.from_features(features)

    def update(self, pool: Pool, is_complete: bool) -> Projection | None:
        """Publish a description when the pool is first known, has doubled, or is complete and rather larger.

        Args:
            pool: the images.
            is_complete: whether nothing is left to be embedded.

        Returns:
            The new space; None if the last description still holds.

        Raises:
            OSError: features.pickle cannot be written.
        """
        embedded = pool.embedded
        least = 0 if is_complete else FIRST_FEATURES
        if not embedded or embedded < max(least, self._growth(is_complete) * self._images):
            return None
        space = pool.space(SPACE_SAMPLE)
        sampled, vectors = pool.sample(POOL_SAMPLE)
        publish(self._run, FEATURES, space.features(self._backbone.fingerprint, embedded, sampled, vectors))
        self._images = embedded
        log.info("described the pool by %d images: %d of %d values", embedded, *space.basis.T.shape)
        return space

    def _growth(self, is_complete: bool) -> float:
        """How much larger the pool must be for a new description; a large sample says nearly the same again."""
        if self._images >= SPACE_SAMPLE:
            return 1.5 if is_complete else 8.0
        return 1.1 if is_complete else 2.0
