"""The backbone at work: image files in, embeddings out, decoded ahead in threads."""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from IA.dataset import batches, normalise
from IA.networks import Backbone, build

log = logging.getLogger(__name__)

BATCH = 8
DECODERS = 2


@dataclass(frozen=True)
class Batch:
    """Embeddings of some of the files asked for.

    Attributes:
        places: of the files in the sequence asked for, (B,).
        vectors: (B, D) float32.
        failed: place and reason of each file that gave none.
    """

    places: list[int]
    vectors: NDArray[np.float32]
    failed: list[tuple[int, str]]


class Embedder:
    """A frozen network on the best device there is.

    Attributes:
        backbone: the network.
        fingerprint: of its weights; embeddings with different fingerprints cannot be compared.
    """

    def __init__(self, network: str) -> None:
        self.backbone: Backbone = build(network)
        self.fingerprint = self.backbone.fingerprint
        self._device = best_device()
        self.backbone.module.eval().to(self._device)
        log.info("network %s, %d values an image, on %s", network, self.backbone.dimension, self._device)

    def cache_of(self, run: Path, loop: str) -> Path:
        """Where a loop keeps the embeddings of this network."""
        name = "".join(letter if letter.isalnum() else "-" for letter in Path(self.backbone.name).stem)
        return run / "cache" / loop / f"{name}-{self.fingerprint}"

    @torch.inference_mode()
    def embed(self, files: Sequence[Path]) -> Iterator[Batch]:
        """Yield the embeddings of the files, batch by batch, in their order."""
        for stacks, failed in batches(files, self.backbone.preprocessing, BATCH, DECODERS):
            places: list[int] = []
            vectors = [np.zeros((0, self.backbone.dimension), np.float32)]
            for some, images in stacks:
                ready = normalise(images.to(self._device), self.backbone.preprocessing)
                places += some
                vectors.append(self.backbone.module(ready).float().cpu().numpy())
            yield Batch(places, np.concatenate(vectors), failed)


def best_device() -> torch.device:
    """CUDA or Metal where there is one, else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def leave_room(cores: int) -> None:
    """Use at most this many processor cores for tensors."""
    torch.set_num_threads(max(1, min(cores, os.cpu_count() or 1)))
