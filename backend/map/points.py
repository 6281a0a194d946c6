"""The points of the map: where each image is, and what is known of it, in bytes that a page reads as they are.

The map shows what the model knows. So an image that was drawn at random and answered counts as open here until the
model has selected it, as it does for everything that learns: a person who chooses images by their places must not
choose them by what was drawn (docs/concepts/statistics.md).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.map.clusters import Clusters, Places
from backend.store.table import Label
from backend.wire.map import MapCluster
from IA.duplicates.groups import AWAY, ImageState, States

OPEN, POSITIVE, NEGATIVE, SKIPPED, AWAY_CODE, BY_MODEL = range(6)
LABELS: dict[int, Label] = {POSITIVE: "positive", NEGATIVE: "negative", SKIPPED: "skipped"}
NOWHERE = -32768  # in place of a coordinate
UNKNOWN = 255  # in place of a probability or a prior
FULL = 32767
FULL_BYTE = 254
STANDARD_DEVIATIONS = 3.0  # A prior so many of them from the mean is the last that can be told from another.

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def _code(state: int) -> int:
    if state & AWAY:
        return AWAY_CODE
    if not state & ImageState.ANSWERED or state & ImageState.DRAWN:
        return OPEN
    if state & ImageState.POSITIVE:
        return POSITIVE
    return NEGATIVE if state & ImageState.NEGATIVE else SKIPPED


CODES = np.array([_code(state) for state in range(256)], np.uint8)
"""What the map shows of an image, by the image's state."""


def answers(states: States, by_model: npt.NDArray[np.integer] | None = None) -> Bytes:
    """What the map shows of each image.

    Args:
        states: (N,) of the images.
        by_model: numbers of the images whose label the model gave; None: it has given none.

    Returns:
        (N,) uint8, one of the codes above.
    """
    codes: Bytes = CODES[states]
    if by_model is not None:
        labelled = (states & int(ImageState.DRAWN)) != 0  # Drawn images have no label of the model; none must show it.
        labelled[by_model[by_model < len(states)]] = True
        codes[labelled & (codes == OPEN)] = BY_MODEL
    return codes


@dataclass(frozen=True)
class MapPoints:
    """All points of the map, (N,) each.

    Attributes:
        x: int16, the place of each image; `NOWHERE` where it has none.
        y: int16, likewise.
        answer: uint8, what the map shows of it.
        probability: uint8, of positive, in 254ths; `UNKNOWN` where it is not known or not told.
        prior: uint8, how well it fits what a person has said before any answer; `UNKNOWN` where nothing is known.
        cluster: uint8.
    """

    x: npt.NDArray[np.int16]
    y: npt.NDArray[np.int16]
    answer: Bytes
    probability: Bytes
    prior: Bytes
    cluster: Bytes

    def packed(self) -> bytes:
        """One array after the other, little-endian."""
        arrays = (self.x.astype("<i2"), self.y.astype("<i2"), self.answer, self.probability, self.prior, self.cluster)
        return b"".join(array.tobytes() for array in arrays)


def coordinates(places: Places, images: int) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """The places, (M, 2) in [-1, 1], of so many images as whole numbers."""
    full = resized(places, images)
    known = np.isfinite(full).all(axis=1, keepdims=True)
    whole = np.where(known, np.round(np.nan_to_num(full) * FULL), NOWHERE).astype(np.int16)
    return whole[:, 0].copy(), whole[:, 1].copy()


def in_bytes(share: Floats, images: int) -> Bytes:
    """Shares, (M,) in [0, 1] with NaN for unknown, of so many images in 254ths."""
    full = resized(share, images)
    scaled: Bytes = np.where(np.isfinite(full), np.round(np.nan_to_num(full) * FULL_BYTE), UNKNOWN).astype(np.uint8)
    return scaled


def squashed(prior: Floats) -> Floats:
    """A prior of mean 0 and standard deviation 1 as a share: 0 and 1 are `STANDARD_DEVIATIONS` from the mean."""
    share: Floats = np.clip(prior / (2 * STANDARD_DEVIATIONS) + 0.5, 0, 1).astype(np.float32)
    return share


def resized(values: Floats, images: int) -> Floats:
    """The first so many values; NaN where there are fewer."""
    full = np.full((images, *values.shape[1:]), np.nan, np.float32)
    full[: len(values)] = values[:images]
    return full


REPRESENTATIVES = 3


def figures(clusters: Clusters, points: MapPoints) -> list[MapCluster]:
    """What the map shows of each cluster that has images."""
    kinds, count = 6, len(clusters.centres)
    placed = np.flatnonzero(points.cluster < count)
    of, answer = points.cluster[placed].astype(np.int64), points.answer[placed]
    table = np.bincount(of * kinds + answer, minlength=kinds * count).reshape(count, kinds)
    probability = points.probability[placed]
    known = probability != UNKNOWN
    sums = np.bincount(of[known], probability[known] / FULL_BYTE, count)
    scored = np.bincount(of[known], minlength=count)
    return [
        {
            "id": cluster,
            "images": int(row.sum()),
            "x": round(float(clusters.centres[cluster, 0]), 4),
            "y": round(float(clusters.centres[cluster, 1]), 4),
            "radius": round(float(clusters.radius[cluster]), 4),
            "positives": int(row[POSITIVE]),
            "negatives": int(row[NEGATIVE]),
            "skipped": int(row[SKIPPED]),
            "left": int(row[OPEN] + row[BY_MODEL]),
            "probability": round(float(sums[cluster] / scored[cluster]), 3) if scored[cluster] else None,
            "representatives": _there(clusters.nearest[cluster], points.answer),
        }
        for cluster, row in enumerate(table)
        if row.sum()
    ]


def _there(nearest: npt.NDArray[np.int64], answer: Bytes) -> list[int]:
    there: list[int] = nearest[answer[nearest] != AWAY_CODE][:REPRESENTATIVES].tolist()
    return there
