"""A predictor that has learnt something, small enough to make in a moment."""

from pathlib import Path

import torch

from IA.dataset import load, normalise
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import Predictor
from IA.networks import build

CLASSES = {"positive": "red", "negative": "blue"}


def trained(folder: Path, network: str, tile: str = "") -> Predictor:
    """One that tells the pictures below `red/` from the others; `network` is registered, `tile` what it says of it."""
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
