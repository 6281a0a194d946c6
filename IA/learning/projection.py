"""The space in which images are compared: embeddings are centred on the pool, rotated and brought to length 1."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from IA.protocol.records import Features

COMPONENTS = 256
BOUND = 1e12  # Embeddings are clipped to this, so that their squares fit float32.


@dataclass(frozen=True, eq=False)
class Projection:
    """What the pool says about the embeddings of one backbone.

    Attributes:
        mean: (D,) float32, of the embeddings, or of their roots.
        basis: (D, K) float32, the directions along which they spread, the widest first.
        root_transform: whether the square root of each value is taken first, so that a few large values do not drown
            the others (Hellinger's distance; Arandjelovic and Zisserman 2012). The files call it `rooted`.
    """

    mean: Tensor
    basis: Tensor
    root_transform: bool

    @classmethod
    def from_vectors(cls, vectors: Tensor, components: int = COMPONENTS) -> "Projection":
        """The space of a pool, by principal components (Pearson 1901); with a root transform if no value is negative.

        Args:
            vectors: (n, D) float32, at least one.
            components: how many directions to keep at most.

        Returns:
            The space of K = min(components, D, n - 1) directions, at least 1.

        Raises:
            ValueError: there are no vectors.
        """
        if not len(vectors):
            raise ValueError("No vectors to make a space of.")
        root_transform = bool((vectors.nan_to_num(0.0) >= 0).all())
        # In float32, eigh was seen to give NaN for a covariance of low rank.
        values = _values(vectors, root_transform).double()
        mean = values.mean(0)  # (D,)
        centred = values - mean
        centred /= centred.abs().max().clamp(min=torch.finfo(torch.float64).tiny)
        kept = max(1, min(components, vectors.shape[1], len(vectors) - 1))
        if len(vectors) < vectors.shape[1]:
            directions = torch.linalg.eigh(centred @ centred.T).eigenvectors[:, -kept:]  # (n, K)
            basis = nn.functional.normalize(centred.T @ directions, dim=0)  # (D, K)
        else:
            basis = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -kept:]  # (D, K)
        return cls(mean.float(), basis.flip(1).float().contiguous(), root_transform)

    def project(self, embeddings: Tensor) -> Tensor:
        """Bring embeddings into this space.

        Args:
            embeddings: (B, D) float32.

        Returns:
            (B, K) float32, each of length 1; zeros where an embedding is the mean itself.
        """
        turned = (_values(embeddings, self.root_transform) - self.mean) @ self.basis  # (B, K)
        length: Tensor = torch.linalg.vector_norm(turned, dim=1, keepdim=True)
        return turned / length.clamp(min=1e-12)

    def features(self, backbone: str, images: int, sampled: NDArray[np.int32], vectors: Tensor) -> Features:
        """The record for features.pickle.

        Args:
            backbone: the fingerprint of the backbone.
            images: how many images the space rests on.
            sampled: (m,) numbers of a random sample of the images.
            vectors: (m, D) float32, their embeddings.
        """
        columns = np.ascontiguousarray(self.basis.numpy()).ravel()
        sample = self.project(vectors).numpy().ravel()
        return Features(backbone, images, self.mean.numpy(), columns, self.root_transform, sampled, sample)

    @classmethod
    def from_features(cls, features: Features) -> "Projection":
        """The space in features.pickle."""
        mean = torch.from_numpy(np.array(features.mean))
        return cls(mean, torch.from_numpy(np.array(features.basis)).view(len(mean), -1), features.rooted)

    def is_same(self, other: "Projection") -> bool:
        """Whether both spaces project every image to the same vector."""
        return (
            self.root_transform == other.root_transform
            and self.basis.shape == other.basis.shape
            and torch.equal(self.basis, other.basis)
            and torch.equal(self.mean, other.mean)
        )


def _values(embeddings: Tensor, root_transform: bool) -> Tensor:
    values = embeddings.float().nan_to_num(0.0).clamp(-BOUND, BOUND)
    return values.clamp(min=0).sqrt() if root_transform else values
