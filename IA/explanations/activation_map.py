"""Which part of an image speaks for positive: the head's gradient on the last feature map, in closed form; torch only.

An embedding that is the mean of a feature map is a sum over places, so the linearised score is one too: a class
activation map (Zhou et al. 2016; with the gradient as weights it is Grad-CAM, Selvaraju et al. 2017). The gradient goes
back through the kernel, the length of 1, the principal components and the root. What it costs to bring the features of
each place into the space of the pool is paid once an image; a new head is then one small product.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from IA.learning.head import Head, kernel
from IA.learning.projection import Projection


@dataclass(frozen=True, eq=False)
class ProjectedFeatureMap:
    """One image in the space of the pool, before it is brought to length 1.

    Attributes:
        whole: (K,) float32, the image.
        parts: (K, h, w) float32, how it changes with the features of each place: the derivative of `whole` by the
            embedding, times these features.
    """

    whole: Tensor
    parts: Tensor

    @classmethod
    def from_features(cls, features: Tensor, space: Projection) -> "ProjectedFeatureMap":
        """Bring a feature map into the space.

        Args:
            features: (D, h, w) float32, whose mean over the places is the embedding.
            space: of the pool.
        """
        embedding = features.mean(dim=(1, 2))  # (D,)
        values = embedding.clamp(min=0).sqrt() if space.root_transform else embedding
        slope = torch.where(values > 0, 0.5 / values, 0.0) if space.root_transform else torch.ones_like(values)  # (D,)
        parts = torch.einsum("dk,dhw->khw", space.basis * slope[:, None], features)
        return cls((values - space.mean) @ space.basis, parts)


def activation_map(head: Head, places: ProjectedFeatureMap) -> Tensor:
    """How much each place speaks for positive, or against it where it is below 0.

    Args:
        head: its space is that of the places.
        places: of one image.

    Returns:
        (h, w) float32, a share of the score each, with a mean of 0: an image as the average of the pool would be says
        nothing, for what is of length 1 does not change where all of it grows.
    """
    said = torch.einsum("k,khw->hw", score_gradient(head, places.whole), places.parts)
    return said - said.mean()


def score_gradient(head: Head, whole: Tensor) -> Tensor:
    """The gradient (K,) of the score by an image (K,) in the space of the pool, before it is brought to length 1."""
    length = torch.linalg.vector_norm(whole).clamp(min=1e-12)
    projected = whole / length
    gamma = float(head.gamma)
    weights = head.weights  # (S,)
    if gamma:
        weights = gamma * weights * kernel(projected[None], head.support, gamma)[0]
    by_unit = weights @ head.support  # (K,), by the image of length 1
    gradient: Tensor = (by_unit - (by_unit @ projected) * projected) / length
    return gradient


def over_picture(said: Tensor, box: tuple[float, float, float, float], most: int) -> Tensor:
    """A map of what a network saw as a map of the whole picture: margins are left out, what was cut off says nothing.

    Args:
        said: (h, w) float32.
        box: what the network saw, as `IA.dataset.seen_box` says.
        most: places on a side.

    Returns:
        (h', w') float32, its places about as large as before, but not more than `most` on a side.
    """
    axes: list[Tensor] = []
    for places, first, last in zip(said.shape, box[:2], box[2:], strict=True):
        count = max(1, min(most, round(places / (last - first))))
        middles = (torch.arange(count) + 0.5) / count  # of the new places, in the picture
        axes.append((middles - first) / (last - first))  # in what the network saw
    down, across = torch.meshgrid(*axes, indexing="ij")  # (h', w') each
    grid = torch.stack([across, down], dim=-1) * 2 - 1
    values = grid_sample(said[None, None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)
    is_seen = (grid.abs() <= 1).all(dim=-1)
    return torch.where(is_seen, values[0, 0], 0.0)
