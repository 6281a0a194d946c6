"""Two ways from projected embeddings to places on the map: by principal components, and by placed neighbours."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MARGIN = 0.97  # The map fills the square from -1 to 1 up to here.
FILLED = 0.998  # So many of all images are inside it; what lies further out is put on its edge.
NEIGHBOURS = 5
NEAR = (
    0.1  # Neighbours further than this from the nearest one, on the map, do not count: between two crowds is nothing.
)
RIDGE = 1e-3


class PlacingMap(Protocol):
    """Places images by their vectors."""

    @property
    def at_once(self) -> int:
        """How many images are placed at a time."""

    def place(self, vectors: Floats) -> Floats:
        """The places (n, 2) in [-1, 1] of vectors (n, K) of length 1."""


@dataclass(frozen=True)
class LinearMap:
    """Two directions of the space.

    Attributes:
        centre: (K,) lies in the middle of the map.
        directions: (K, 2).
    """

    centre: Floats
    directions: Floats
    at_once: int = 65_536

    @classmethod
    def from_vectors(cls, vectors: Floats, before: Floats | None = None) -> "LinearMap":
        """The two principal components of vectors (m, K); `before`: turned and mirrored towards these places (m, 2)."""
        centre = vectors.mean(axis=0)
        spread = (vectors - centre).astype(np.float64)
        _, basis = np.linalg.eigh(spread.T @ spread)
        directions = basis[:, -2:][:, ::-1]
        if directions.shape[1] < 2:
            directions = np.pad(directions, ((0, 0), (0, 2 - directions.shape[1])))
        places = spread @ directions
        if before is not None:
            turn = turned_towards(places, before)
            directions, places = directions @ turn, places @ turn
        middle, scale = frame(places)
        centre = centre + directions @ middle
        return cls(centre.astype(np.float32), (directions * scale).astype(np.float32))

    @classmethod
    def from_places(cls, vectors: Floats, places: Floats) -> "LinearMap":
        """The directions in which vectors (m, K) have nearly these places (m, 2), by least squares."""
        centre, middle = vectors.mean(axis=0), places.mean(axis=0)
        spread = (vectors - centre).astype(np.float64)
        normal = spread.T @ spread
        normal += RIDGE * max(float(np.trace(normal)) / len(normal), 1e-12) * np.eye(len(normal))
        directions = np.linalg.solve(normal, spread.T @ (places - middle))
        offset = np.linalg.lstsq(directions.T, middle.astype(np.float64), rcond=None)[0]
        return cls((centre - offset).astype(np.float32), directions.astype(np.float32))

    def place(self, vectors: Floats) -> Floats:
        """See `PlacingMap`."""
        places: Floats = np.clip((vectors - self.centre) @ self.directions, -1, 1).astype(np.float32)
        return places


@dataclass(frozen=True)
class NeighbourMap:
    """Images that have a place; another one lies where its nearest neighbours among them do.

    Attributes:
        anchors: (m, K) their vectors, of length 1.
        places: (m, 2) their places.
    """

    anchors: torch.Tensor
    places: Floats
    at_once: int = 1024

    @classmethod
    def from_places(cls, vectors: Floats, places: Floats) -> "NeighbourMap":
        """Neighbours with vectors (m, K) and places (m, 2)."""
        return cls(torch.from_numpy(vectors), places)

    def place(self, vectors: Floats) -> Floats:
        """See `PlacingMap`."""
        similarity = torch.from_numpy(vectors) @ self.anchors.T  # (n, m)
        best = similarity.topk(min(NEIGHBOURS, len(self.places)), dim=1)
        near = self.places[best.indices.numpy()]  # (n, NEIGHBOURS, 2)
        distance = np.maximum(1 - best.values.numpy(), 1e-6)
        weight = (distance[:, :1] / distance) ** 2
        weight[np.hypot(*np.moveaxis(near - near[:, :1], 2, 0)) > NEAR] = 0
        places: Floats = ((weight[..., None] * near).sum(axis=1) / weight.sum(axis=1, keepdims=True)).astype(np.float32)
        return places


def frame(places: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """The middle of places (m, 2), and the factor by which they fill the square from -1 to 1."""
    low, high = np.quantile(places, [(1 - FILLED) / 2, (1 + FILLED) / 2], axis=0)
    width = float((high - low).max())
    return (low + high) / 2, 2 * MARGIN / width if width > 0 else 1.0


def framed(places: NDArray[np.floating]) -> Floats:
    """These places (m, 2) moved and scaled so that they fill the square from -1 to 1."""
    middle, scale = frame(places)
    inside: Floats = np.clip((places - middle) * scale, -1, 1).astype(np.float32)
    return inside


def turned_towards(places: NDArray[np.floating], before: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rotation or reflection (2, 2) that brings places (m, 2) nearest to others (orthogonal Procrustes)."""
    u, _, v = np.linalg.svd((places - places.mean(axis=0)).T @ (before - before.mean(axis=0)))
    turn: NDArray[np.float64] = u @ v
    return turn
