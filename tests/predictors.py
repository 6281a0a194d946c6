"""A predictor that has learnt a little, and is made in a moment."""

from pathlib import Path

import torch

from IA.dataset import load, normalise
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import Predictor
from IA.networks import build

CLASSES = {"positive": "red", "negative": "blue"}


def trained(folder: Path, network: str, tile: str = "") -> Predictor:
    """A predictor that finds the pictures below `red/`, with a registered network and, in its file, the grid `tile`."""
    backbone = build(network)
    untrained = Predictor(backbone, Head.empty(backbone.dimension, 1, 0))
    paths = sorted(folder.glob("*/*.png"))
    images = torch.stack([load(path, backbone.preprocessing) for path in paths])
    vectors = untrained.embeddings(normalise(images, backbone.preprocessing))
    space = Projection.from_vectors(vectors)
    labels = torch.tensor([path.parent.name == "red" for path in paths])
    return Predictor(
        backbone,
        Head.fit(space.project(vectors), labels, space),
        classes=CLASSES,
        threshold=0.4,
        labels=12,
        metrics={"average_precision": 1.0},
        generation=7,
        tile=tile,
    )
