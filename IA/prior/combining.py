"""Several numbers for each image, on scales of their own, become one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

EDGE = 1e-6  # Probabilities of 0 and 1 are taken for this and its opposite.
FURTHEST = 6.0  # No image counts for further than so many standard deviations.


def combined(sources: Sequence[Floats]) -> Floats:
    """The mean of the sources that know an image, each standardised, standardised again.

    Args:
        sources: (N,) float32 each, at least one; NaN where a source knows nothing of an image.

    Returns:
        (N,) float32 of mean 0 and standard deviation 1; NaN where no source knows anything.
    """
    known = np.stack([standardised(source) for source in sources])  # (S, N)
    count = (~np.isnan(known)).sum(0)
    mean = np.divide(np.nansum(known, axis=0), count, out=np.full(known.shape[1], np.nan, np.float32), where=count > 0)
    return standardised(mean) if len(sources) > 1 else mean


def standardised(values: Floats) -> Floats:
    """(N,) float32 of mean 0 and standard deviation 1, or zeros where all are the same; NaN where one is unknown."""
    known = values[~np.isnan(values)].astype(np.float64)
    spread = known.std() if len(known) else 0.0
    centred = values - (known.mean() if len(known) else 0.0)
    scaled = centred / spread if spread > 1e-12 else np.where(np.isnan(values), np.nan, 0.0)
    limited: Floats = np.clip(scaled, -FURTHEST, FURTHEST).astype(np.float32)
    return limited


def as_evidence(scores: Floats) -> Floats:
    """Scores as evidence: probabilities, which lie from 0 to 1, as their logits; all others as they are."""
    if len(scores) and scores.min() >= 0 and scores.max() <= 1:
        shares = np.clip(scores.astype(np.float64), EDGE, 1 - EDGE)
        return np.log(shares / (1 - shares)).astype(np.float32)
    return scores
