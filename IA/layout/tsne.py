"""The places of some images by t-SNE (van der Maaten and Hinton 2008; openTSNE, Poličar et al. 2024)."""

import importlib.util
import os

import numpy as np
from numpy.typing import NDArray

LIBRARY = "openTSNE"  # comes with the extra `map`
PERPLEXITY = 30.0
EARLY, LATE = 250, 350  # rounds with and without exaggeration
EXAGGERATION = 12.0
FAST_FROM = 5_000  # From so many images on, forces are interpolated on a grid.
AT_ONCE = 1024
SPREAD = 1e-4  # The standard deviation of the places that it begins with.
LOOK_EVERY = 25  # rounds

Floats = NDArray[np.float32]


def is_installed() -> bool:
    """Whether the library can be had."""
    return importlib.util.find_spec(LIBRARY) is not None


def tsne(vectors: Floats, start: Floats) -> NDArray[np.float64]:
    """Places (m, 2) of vectors (m, K) of length 1.

    Args:
        vectors: of the images, more than three of them.
        start: (m, 2) places to begin with; the result has much the same left and right, top and bottom.

    Returns:
        The places, in no particular scale. They are not complete if the process that started this one has ended.
    """
    from openTSNE import TSNEEmbedding, affinity, nearest_neighbors

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    index = nearest_neighbors.PrecomputedNeighbors(*nearest(vectors, min(int(3 * perplexity), len(vectors) - 1)))
    affinities = affinity.PerplexityBasedNN(knn_index=index, perplexity=perplexity, n_jobs=1)
    begin = start.astype(np.float64)
    begin *= SPREAD / max(float(begin.std(axis=0).max()), 1e-12)
    begin += np.random.default_rng(0).normal(0, SPREAD / 100, begin.shape)  # Images at one place would stay there.
    parent = os.getppid()
    places = TSNEEmbedding(
        begin,
        affinities,
        n_jobs=1,
        random_state=0,
        negative_gradient_method="fft" if len(vectors) >= FAST_FROM else "bh",
        callbacks=lambda *_: os.getppid() != parent,
        callbacks_every_iters=LOOK_EVERY,
    )
    places = places.optimize(EARLY, exaggeration=EXAGGERATION, momentum=0.5)
    places = places.optimize(LATE, momentum=0.8)
    return np.asarray(places, np.float64)


def nearest(vectors: Floats, count: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """The nearest others of each of vectors (m, K), the nearest first, and the cosine distances: (m, count) each."""
    numbers, distances = [], []
    for start in range(0, len(vectors), AT_ONCE):
        rows = np.arange(start, min(start + AT_ONCE, len(vectors)))
        distance = 1 - vectors[rows] @ vectors.T
        distance[np.arange(len(rows)), rows] = np.inf
        some = np.argpartition(distance, count - 1, axis=1)[:, :count]
        chosen = np.take_along_axis(distance, some, axis=1)
        order = np.argsort(chosen, axis=1, kind="stable")
        numbers.append(np.take_along_axis(some, order, axis=1).astype(np.int32))
        distances.append(np.maximum(np.take_along_axis(chosen, order, axis=1), 0).astype(np.float64))
    return np.concatenate(numbers), np.concatenate(distances)
