"""The embedder: image files in, embeddings out; threads decode ahead of the network."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from IA.dataset import batches
from IA.embedding.engine import Engine, TorchEngine, best_device, fastest, usable_cores
from IA.embedding.shared import SharedEmbeddings
from IA.networks import Backbone, build

log = logging.getLogger(__name__)

MAX_DECODERS = 16


@dataclass(frozen=True)
class Batch:
    """The embeddings of some of the files that were asked for.

    Attributes:
        places: (B,) of the embedded files in the sequence that was asked for.
        vectors: (B, D) float32.
        failed: place and reason of each file that could not be embedded.
    """

    places: list[int]
    vectors: NDArray[np.float32]
    failed: list[tuple[int, str]]


class Embedder:
    """A frozen network on the fastest engine there is.

    Attributes:
        backbone: the network.
        cores: how many cores decode and embed.
        fingerprint: of its weights; embeddings with different fingerprints cannot be compared.
    """

    def __init__(self, network: str | Backbone, cores: int | None = None, compiled: bool = True) -> None:
        """Build the network and get it ready to run.

        Args:
            network: as `IA.networks.build` takes it, or already built.
            cores: how many cores decode and embed; by default all that this process may use.
            compiled: whether to compile the network for this machine, which takes a second or two and 200 MB and does
                not pay off for an image now and then.
        """
        self.cores = cores or usable_cores()
        self.backbone = build(network) if isinstance(network, str) else network
        self.fingerprint = self.backbone.fingerprint
        self._engine: Engine = (
            fastest(self.backbone, self.cores) if compiled else TorchEngine(self.backbone, best_device())
        )
        log.info("network %s, %d values an image, %s", self.backbone.name, self.backbone.dimension, self._engine.name)

    @property
    def cache_name(self) -> str:
        """The name of the folder that holds the embeddings of this network and no other."""
        name = "".join(letter if letter.isalnum() else "-" for letter in Path(self.backbone.name).stem)
        return f"{name}-{self.fingerprint}"

    def cache_of(self, run: Path, loop: str) -> Path:
        """The folder in which a loop keeps the embeddings of this network for its run alone."""
        return run / "cache" / loop / self.cache_name

    def shared_cache(self, run: Path, loop: str, place: Path | None) -> SharedEmbeddings:
        """The embeddings of this network, shared in `place` (see `folder_cache`) and kept by the run itself."""
        shared = None if place is None else place / self.cache_name
        return SharedEmbeddings(shared, self.cache_of(run, loop), self.backbone.dimension)

    def embed(self, files: Iterable[Path], inside: Path | None = None) -> Iterator[Batch]:
        """Embed files batch by batch, in their order, while threads decode the next ones.

        Args:
            files: the images.
            inside: a folder that they must lie in; None: anywhere.

        Yields:
            The embeddings of the next files.
        """
        decoders = min(self.cores, MAX_DECODERS)
        for stacks, failed in batches(files, self.backbone.preprocessing, self._engine.batch, decoders, inside):
            places = [place for some, _ in stacks for place in some]
            vectors = self._engine.embed([images for _, images in stacks])
            yield Batch(places, np.concatenate([np.zeros((0, self.backbone.dimension), np.float32), *vectors]), failed)

    def give_way(self) -> None:
        """Let the engine's own threads, not those that call it, give way to other processes from now on."""
        self._engine.give_way()

    def vectors(self, files: Sequence[Path]) -> torch.Tensor:
        """The embeddings of all these files, (n, D) float32; zeros for a file that cannot be read."""
        vectors = torch.zeros(len(files), self.backbone.dimension)
        for batch in self.embed(files):
            vectors[batch.places] = torch.from_numpy(batch.vectors)
        return vectors


def leave_room(cores: int) -> None:
    """Let torch use this many cores at most."""
    torch.set_num_threads(max(1, min(cores, usable_cores())))
