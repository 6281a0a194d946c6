"""Which parts of an image speak for positive: the head's gradient on the last feature map, in closed form; torch only.

An embedding that is the mean of a feature map is a sum over places, and so is the linearised score: a class activation
map (Zhou et al. 2016; with the gradient as weights it is Grad-CAM, Selvaraju et al. 2017). The gradient goes back
through the kernel, the normalisation to length 1, the principal components and the root transform. The features of each
place are projected once for each image; a new head then costs one small product.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from IA.learning.head import Head, kernel
from IA.learning.projection import Projection


@dataclass(frozen=True, eq=False)
class ProjectedFeatureMap:
    """The feature map of an image in the space of the pool, before it is brought to length 1.

    Attributes:
        whole: (K,) float32, the image.
        parts: (K, h, w) float32, the share that each place has in `whole`: the derivative of `whole` by the embedding,
            times the features of the place.
    """

    whole: Tensor
    parts: Tensor

    @classmethod
    def from_features(cls, features: Tensor, space: Projection) -> "ProjectedFeatureMap":
        """Project a feature map.

        Args:
            features: (D, h, w) float32, whose mean over the places is the embedding.
            space: of the pool.
        """
        embedding = features.mean(dim=(1, 2))  # (D,)
        values = embedding.clamp(min=0).sqrt() if space.root_transform else embedding
        slope = torch.where(values > 0, 0.5 / values, 0.0) if space.root_transform else torch.ones_like(values)  # (D,)
        parts = torch.einsum("dk,dhw->khw", space.basis * slope[:, None], features)
        return cls((values - space.mean) @ space.basis, parts)


def activation_map(head: Head, projected: ProjectedFeatureMap) -> Tensor:
    """How much each place speaks for positive; below 0, it speaks against positive.

    Args:
        head: compares images in the space of the feature map.
        projected: the feature map of one image.

    Returns:
        (h, w) float32, the share of each place in the score, with a mean of 0. A share that all places have in common
        says nothing: it lengthens the vector, which is brought to length 1.
    """
    shares = torch.einsum("k,khw->hw", score_gradient(head, projected.whole), projected.parts)
    return shares - shares.mean()


def score_gradient(head: Head, whole: Tensor) -> Tensor:
    """The gradient (K,) of the score by an image (K,) in the space of the pool that is not yet of length 1."""
    length = torch.linalg.vector_norm(whole).clamp(min=1e-12)
    projected = whole / length
    gamma = float(head.gamma)
    weights = head.weights  # (S,)
    if gamma:
        weights = gamma * weights * kernel(projected[None], head.support, gamma)[0]
    by_unit = weights @ head.support  # (K,), the gradient by the image of length 1
    gradient: Tensor = (by_unit - (by_unit @ projected) * projected) / length
    return gradient


def over_picture(shares: Tensor, box: tuple[float, float, float, float], most: int) -> Tensor:
    """Turn the map of what a network saw into a map of the whole picture: without margins, 0 where it was cropped.

    Args:
        shares: (h, w) float32.
        box: what the network saw, as `IA.dataset.seen_box` gives it.
        most: how many places a side of the map may have.

    Returns:
        (h', w') float32, with places about as large as before.
    """
    axes: list[Tensor] = []
    for places, first, last in zip(shares.shape, box[:2], box[2:], strict=True):
        count = max(1, min(most, round(places / (last - first))))
        middles = (torch.arange(count) + 0.5) / count  # of the new places, as shares of the picture
        axes.append((middles - first) / (last - first))  # as shares of what the network saw
    down, across = torch.meshgrid(*axes, indexing="ij")  # (h', w') each
    grid = torch.stack([across, down], dim=-1) * 2 - 1
    values = grid_sample(shares[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)
    is_seen = (grid.abs() <= 1).all(dim=-1)
    return torch.where(is_seen, values[0, 0], 0.0)
