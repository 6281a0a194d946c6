"""A backbone: a network without its classification layer, and what its weights know beside the embeddings."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor, nn

from config import UsageError
from IA.dataset import Preprocessing

IMAGENET_CLASSES = 1000

Classifier = tuple[Tensor, Tensor]
TextEncoder = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class Built:
    """What builds a backbone.

    Attributes:
        module: images (B, 3, H, W) to embeddings (B, D).
        preprocessing: how the images must be prepared.
        classifier: see `Backbone`.
        encode_text: see `Backbone`.
        name: of the architecture, if it is to be another one than it was asked for by.
    """

    module: nn.Module
    preprocessing: Preprocessing
    classifier: Classifier | None = None
    encode_text: TextEncoder | None = None
    name: str | None = None


Builder = Callable[[bool], tuple[nn.Module, Preprocessing] | Built]


@dataclass(frozen=True)
class Backbone:
    """A network without its classification layer.

    The classifier and the text encoder come with pretrained weights alone. They are no part of the module, so neither
    the fingerprint nor a checkpoint knows them.

    Attributes:
        name: builds the same architecture again, see `IA.networks.build`; for a file of weights, the name of its
            architecture.
        module: turns normalised images (B, 3, S, S) into embeddings (B, D); in evaluation mode.
        preprocessing: how the images must be prepared.
        dimension: D.
        classifier: weight (1000, D) and bias (1000,) float32 of the layer of ImageNet-1k that the embeddings are the
            input of, its rows in the usual order of the classes; None where the weights have no such layer.
        encode_text: turns T texts into (T, D) float32 unit vectors, whose cosine to an embedding says how well the
            text fits the image; None where the network has not learnt texts.
    """

    name: str
    module: nn.Module
    preprocessing: Preprocessing
    dimension: int
    classifier: Classifier | None = field(default=None, compare=False, repr=False)
    encode_text: TextEncoder | None = field(default=None, compare=False, repr=False)

    @cached_property
    def fingerprint(self) -> str:
        """A name for the embeddings of these weights; computed once, so changed weights need a new Backbone."""
        return fingerprint(self.module, self.name, str(sorted(self.preprocessing.as_dict().items())))


def fingerprint(module: nn.Module, *also: str) -> str:
    """16 hexadecimal digits, which differ if any weight or any text in `also` differs."""
    digest = hashlib.sha256("\n".join(also).encode())
    for name, tensor in module.state_dict().items():
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def measured(name: str, built: Built) -> Backbone:
    """Measure the embedding of a grey image; a network that takes only squares gets squares from now on.

    Raises:
        UsageError: the module gives no embeddings.
    """
    module, preprocessing = built.module.eval(), built.preprocessing
    size_px = preprocessing.size_px
    if preprocessing.resize == "area" and not _takes(module, size_px, 2 * size_px):
        preprocessing = dataclasses.replace(preprocessing, resize="letterbox")
    with torch.inference_mode():
        embeddings = module(torch.zeros(1, 3, size_px, size_px))
    if not isinstance(embeddings, Tensor) or embeddings.ndim != 2 or len(embeddings) != 1:
        raise UsageError(f"The network {name} gives no embedding (B, D); choose another.")
    dimension = embeddings.shape[1]
    classifier = built.classifier
    if classifier is not None and classifier[0].shape != (IMAGENET_CLASSES, dimension):
        classifier = None
    return Backbone(built.name or name, module, preprocessing, dimension, classifier, built.encode_text)


def classifier_of(layer: nn.Module) -> Classifier | None:
    """The weights of a linear layer with an output for each class of ImageNet-1k; None of any other layer."""
    if not isinstance(layer, nn.Linear) or layer.out_features != IMAGENET_CLASSES:
        return None
    weight = layer.weight.detach().float().clone()
    return weight, torch.zeros(IMAGENET_CLASSES) if layer.bias is None else layer.bias.detach().float().clone()


def _takes(module: nn.Module, height_px: int, width_px: int) -> bool:
    """Whether the network embeds images of this shape too."""
    try:
        with torch.inference_mode():
            embeddings = module(torch.zeros(1, 3, height_px, width_px))
    except (RuntimeError, ValueError, AssertionError):
        return False
    return isinstance(embeddings, Tensor) and embeddings.ndim == 2
