"""A prompt as a function on the space of the pool, by networks that know classes and by networks that read."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from IA.dataset import Preprocessing
from IA.learning.projection import Projection
from IA.networks import Backbone
from IA.prior.linear_prior import LinearPrior
from IA.prior.reading import Reading

WIDTH, OF_A_KIND, KINDS = 32, 60, 6
PREPROCESSING = Preprocessing(32, (0.5,) * 3, (0.5,) * 3)
RANDOM = torch.Generator().manual_seed(0)
WEIGHT = torch.randn(1000, WIDTH, generator=RANDOM)
KIND = np.repeat(np.arange(KINDS), OF_A_KIND)  # Each image shows the known class of this number.
VECTORS = 0.5 * WEIGHT[KIND] + torch.randn(len(KIND), WIDTH, generator=RANDOM)
TEXTS = {f"kind {kind}": nn.functional.normalize(WEIGHT[kind], dim=0) for kind in range(KINDS)}


def encode_text(texts: Sequence[str]) -> Tensor:
    """Known texts as unit vectors."""
    return torch.stack([TEXTS[text] for text in texts])


KNOWS_CLASSES = Backbone("classes", nn.Identity(), PREPROCESSING, WIDTH, (WEIGHT, torch.zeros(1000)))
READS = Backbone("reads", nn.Identity(), PREPROCESSING, WIDTH, encode_text=encode_text)
NEITHER = Backbone("neither", nn.Identity(), PREPROCESSING, WIDTH)


def reading(*kinds: int) -> Reading:
    """A prompt that leads to some of the classes."""
    weights = np.zeros(1000, np.float32)
    weights[list(kinds)] = 1 / len(kinds)
    return Reading([f"kind {kind}" for kind in kinds], weights)


def fits(backbone: Backbone, asked: Reading) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """How well each image fits, by a function that was fitted on every other image."""
    projected = Projection.from_vectors(VECTORS).project(VECTORS)
    function = LinearPrior(backbone, VECTORS[::2], projected[::2]).function(asked)
    assert function is not None and function.dtype == np.float32
    found: np.ndarray[tuple[int], np.dtype[np.float32]] = (projected @ torch.from_numpy(function)).numpy()
    return found


@pytest.mark.parametrize("backbone", [KNOWS_CLASSES, READS], ids=lambda backbone: backbone.name)
@pytest.mark.parametrize("kind", [0, 3])
def test_images_of_the_class_come_first(backbone: Backbone, kind: int) -> None:
    """Most of the images that fit best are of the class that the words lead to, in the sample or not."""
    best = np.argsort(-fits(backbone, reading(kind)))[:20]
    assert (KIND[best] == kind).mean() >= 0.9
    assert set(best % 2) == {0, 1}


@pytest.mark.parametrize("backbone", [KNOWS_CLASSES, READS], ids=lambda backbone: backbone.name)
def test_two_classes_are_alternatives(backbone: Backbone) -> None:
    """Images of both classes come before most others, and neither class is left out."""
    best = KIND[np.argsort(-fits(backbone, reading(1, 4)))[: 2 * OF_A_KIND]]
    assert np.isin(best, [1, 4]).mean() > 0.7
    assert min((best == 1).sum(), (best == 4).sum()) > OF_A_KIND / 3


def test_words_that_lead_nowhere() -> None:
    """Without weights there is no function, unless the network itself reads the words."""
    nowhere = Reading(["kind 2"], None)
    projected = Projection.from_vectors(VECTORS).project(VECTORS)
    assert LinearPrior(KNOWS_CLASSES, VECTORS, projected).function(nowhere) is None
    assert LinearPrior(READS, VECTORS, projected).function(nowhere) is not None


def test_which_networks_can_read() -> None:
    """A layer of classes or a text encoder is enough."""
    assert [LinearPrior.can_read(each) for each in (KNOWS_CLASSES, READS, NEITHER)] == [True, True, False]


@pytest.mark.parametrize("images", [1, 2])
def test_a_sample_of_few(images: int) -> None:
    """One or two images give a finite function."""
    projected = Projection.from_vectors(VECTORS).project(VECTORS)
    function = LinearPrior(KNOWS_CLASSES, VECTORS[:images], projected[:images]).function(reading(0))
    assert function is not None and np.isfinite(function).all()
