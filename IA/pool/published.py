"""Makes the record for predictions.pickle from a pool and a checkpoint; pure, nothing is written here."""

from typing import Any

import numpy as np

from IA.model import Checkpoint
from IA.pool.pool import Pool
from IA.protocol.fields import NO_FLOATS, Floats
from IA.protocol.records import Predictions


def predictions_of(
    pool: Pool, checkpoint: Checkpoint | None, labels: int, prior: Floats | None, spacing: Floats
) -> Predictions:
    """The record for predictions.pickle.

    Args:
        pool: scored by the checkpoint.
        checkpoint: in force; None: there is none yet, and the order follows the prior and novelty.
        labels: how many answers novelty has learnt; counts only without a checkpoint.
        prior: (N,) float32, see `PoolPrior.values`; None: a person has said nothing.
        spacing: (N,) float32, see `PoolSpacing`; empty: nobody needs it.
    """
    return Predictions(
        probability=pool.probability,
        novelty=pool.novelty,
        unreadable=pool.unreadable.astype(np.int32),
        embedded=pool.embedded,
        labels=checkpoint.labels if checkpoint else labels,
        checkpoint=_report(checkpoint) if checkpoint else None,
        missing=len(pool.missing()),
        prior=NO_FLOATS if prior is None else prior,
        spacing=spacing,
    )


def _report(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the server shows of the checkpoint, which it never loads itself."""
    return {
        "generation": checkpoint.generation,
        "labels": checkpoint.labels,
        "threshold": checkpoint.threshold,
        "metrics": dict(checkpoint.metrics),
    }
