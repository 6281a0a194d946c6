"""Clusters of the map: places near one another, for whoever goes through the map by keyboard or screen reader.

The clusters are those of k-means on the places. For a new layout it begins with the clusters of the one before, so that
a cluster keeps its number and its place while new images come.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MOST_CLUSTERS = 40
NO_CLUSTER = 255  # of an image that has no place
SAMPLE = 20_000  # The centres are computed from this many images at most.
ROUNDS = 25
CHUNK = 65_536  # Images are compared with the centres this many at a time.
NEAREST = 12  # A cluster keeps so many of the images nearest to its centre, to show those that are there.
SEED = 0

Places = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """The division of a map into clusters.

    Attributes:
        centres: (K, 2) float32.
        radius: (K,) float32, the distance from the centre within which nine tenths of the cluster lie.
        of: (N,) uint8, the cluster of each image; `NO_CLUSTER` where it has no place.
        nearest: for each cluster the images nearest to its centre, the nearest first.
    """

    centres: Places
    radius: npt.NDArray[np.float32]
    of: npt.NDArray[np.uint8]
    nearest: list[Numbers]

    @classmethod
    def from_places(cls, places: Places, before: Places | None = None) -> "Clusters":
        """Divide places, (N, 2) float32 with NaN where there is none; `before`: the centres of the last division."""
        placed = np.flatnonzero(np.isfinite(places).all(axis=1))
        of = np.full(len(places), NO_CLUSTER, np.uint8)
        if not len(placed):
            return cls(np.zeros((0, 2), np.float32), np.zeros(0, np.float32), of, [])
        random = np.random.default_rng(SEED)
        sample = placed if len(placed) <= SAMPLE else random.choice(placed, SAMPLE, replace=False)
        wanted = wanted_clusters(len(placed))
        if before is None or len(before) != wanted:
            before = _spread(places[sample], wanted, random)
        centres = _settled(places[sample], before)
        nearest_centre = np.concatenate(
            [_nearest(places[placed[start : start + CHUNK]], centres) for start in range(0, len(placed), CHUNK)]
        )
        of[placed] = nearest_centre
        order = placed[np.argsort(nearest_centre, kind="stable")]
        members = np.split(order, np.cumsum(np.bincount(nearest_centre, minlength=len(centres)))[:-1])
        radius, nearest = np.zeros(len(centres), np.float32), []
        for cluster, (centre, numbers) in enumerate(zip(centres, members, strict=True)):
            distance = np.hypot(*(places[numbers] - centre).T)
            radius[cluster] = np.quantile(distance, 0.9) if len(numbers) else 0
            nearest.append(numbers[np.argsort(distance, kind="stable")[:NEAREST]])
        return cls(centres, radius, of, nearest)


def wanted_clusters(images: int) -> int:
    """How many clusters a map of so many images has: few enough to go through, small enough to be of one kind."""
    return max(1, min(MOST_CLUSTERS, round(math.sqrt(images) / 1.5)))


def _spread(places: Places, count: int, random: np.random.Generator) -> Places:
    """Centres to begin with, far from one another (k-means++, Arthur and Vassilvitskii 2007)."""
    chosen = [places[random.integers(len(places))]]
    distance = ((places - chosen[0]) ** 2).sum(axis=1)
    while len(chosen) < count and distance.max() > 0:
        chosen.append(places[random.choice(len(places), p=distance / distance.sum(dtype=np.float64))])
        distance = np.minimum(distance, ((places - chosen[-1]) ** 2).sum(axis=1))
    return np.stack(chosen)


def _settled(places: Places, centres: Places) -> Places:
    """The centres after some rounds of k-means; one that has no place near it stays where it is."""
    for _ in range(ROUNDS):
        of = _nearest(places, centres)
        sizes = np.bincount(of, minlength=len(centres))
        sums = np.stack([np.bincount(of, places[:, axis], len(centres)) for axis in (0, 1)], axis=1)
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres).astype(np.float32)
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres


def _nearest(places: Places, centres: Places) -> Numbers:
    """The nearest centre to each place."""
    # The square of a place is left out: it is the same for all centres.
    found: Numbers = np.argmin((centres**2).sum(axis=1) - 2 * places @ centres.T, axis=1)
    return found
