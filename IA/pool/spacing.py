"""How far apart images are around each image of a pool, measured anew as the pool grows."""

import numpy as np

from IA.pool.pool import Pool
from IA.pool.view import Floats, Numbers, ProjectedPool

SAMPLE = 2048  # At most so many images tell how far apart others are,
PAIRS = 200_000_000  # fewer where there would be more distances than this, as they would take seconds.
GROWTH = 1.25


class PoolSpacing:
    """Remembers the spacing of one pool."""

    def __init__(self, pool: Pool) -> None:
        """Begin with nothing measured."""
        self._pool = pool
        self._view: ProjectedPool | None = None
        self._embedded = 0  # So many images were embedded at the last measurement.
        self._values: Floats = np.zeros(0, np.float32)

    def values(self) -> Floats:
        """(N,) float32, see `ProjectedPool.spacing`; empty without a view.

        It is measured anew once the pool has grown by a quarter or is complete; until then new images have NaN.
        """
        view, embedded = self._pool.view, self._pool.embedded
        if view is None:
            return np.zeros(0, np.float32)
        has_grown = embedded >= GROWTH * self._embedded
        if view is not self._view or has_grown or (embedded != self._embedded and not len(self._pool.missing())):
            self._view, self._embedded, self._values = view, embedded, view.spacing(spacing_sample(view))
        return np.pad(self._values, (0, max(0, len(self._pool) - len(self._values))), constant_values=np.nan)


def spacing_sample(view: ProjectedPool) -> Numbers:
    """Numbers (m,) of a random sample of the embedded images that is large enough and takes no seconds."""
    embedded = view.embedded
    size = max(SAMPLE // 8, min(SAMPLE, PAIRS // max(1, len(embedded))))
    return embedded if len(embedded) <= size else np.random.default_rng(0).choice(embedded, size, replace=False)
