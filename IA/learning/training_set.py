"""The answered images as one network sees them, embedded once, and the learner that learns from them."""

from collections.abc import Container, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch

from IA.embedding.cache import key
from IA.embedding.embedder import Embedder
from IA.embedding.examples import Examples
from IA.learning.learner import Learner
from IA.networks import Backbone


class TrainingSet:
    """Embeddings of answered images by path, kept in a cache on the disk, and the learner that uses them.

    Attributes:
        backbone: the network.
        learner: learns from these embeddings.
        tuned_on: how many answers there were when the network was fine-tuned on them; 0 if it never was.
    """

    def __init__(
        self,
        run: Path,
        network: str | Backbone,
        learnt: Container[str] = frozenset(),
        tuned_on: int = 0,
        place: Path | None = None,
    ) -> None:
        """Begin with the embeddings in the cache.

        Args:
            run: the run directory.
            network: as `Embedder` takes it.
            learnt: answers that the network itself has learnt.
            tuned_on: see the class.
            place: the folder of embeddings that runs over the same images share, see `folder_cache`; None: the
                embeddings of this network belong to this run alone.
        """
        self._embedder = Embedder(network, cores=1, compiled=False)
        self.backbone = self._embedder.backbone
        self.directory = self._embedder.cache_of(run, "trainer")
        self.tuned_on = tuned_on
        self.learner = Learner(self._vectors, learnt=learnt)
        self._cache = self._embedder.shared_cache(run, "trainer", place)
        self._run = run
        self._examples: Examples | None = None
        self._rows: dict[str, int] = {}
        self._lost: set[str] = set()  # Answered images whose files cannot be decoded.

    def __contains__(self, path: str) -> bool:
        """Whether an image has an embedding."""
        return path in self._rows

    def embed(self, datadir: Path, paths: Iterable[str], at_once: int, inside: Path | None = None) -> bool:
        """Find or make the embeddings of these images.

        Args:
            datadir: the image folder.
            paths: of the images, relative to it.
            at_once: how many embeddings to make at most; all that are in the cache are found.
            inside: a folder that the files must lie in; None: anywhere.

        Returns:
            Whether some are left for the next turn.
        """
        paths = [path for path in paths if path not in self._rows and path not in self._lost]
        # A file that is away now, as on a disk that was unplugged, is looked for again in the next turn.
        keys = {path: known for path in paths if (known := key(datadir, path)) is not None}
        paths = list(keys)
        self._cache.follow()
        rows = self._cache.rows(np.array([keys[path] for path in paths], np.uint64))
        self._rows |= {path: int(row) for path, row in zip(paths, rows, strict=True) if row >= 0}
        missing = [path for path in paths if path not in self._rows]
        asked = missing[:at_once]
        for batch in self._embedder.embed([datadir / path for path in asked], inside):
            found = [asked[place] for place in batch.places]
            stored = np.array([keys[path] for path in found], np.uint64)
            self._cache.append(stored, batch.vectors)
            self._rows |= dict(zip(found, self._cache.rows(stored).tolist(), strict=True))
            failed = [asked[place] for place, _ in batch.failed]
            self._lost |= {path for path in failed if key(datadir, path) is not None}
        return len(asked) < len(missing)

    def take_examples(self, folder: str) -> bool:
        """Embed some of the examples of what a person looks for; the learner gets them once all are embedded.

        Args:
            folder: of the pictures; "": there are no examples to learn from.

        Returns:
            Whether some are left for the next turn.
        """
        if not folder:
            self.learner.examples = None
            return False
        if self._examples is None or self._examples.folder != Path(folder):
            self._examples = Examples(self._run, "trainer", self._embedder, Path(folder))
        if self._examples.step():
            return True
        self.learner.examples = torch.from_numpy(self._examples.vectors)
        return False

    def _vectors(self, paths: Sequence[str]) -> torch.Tensor:
        """Embeddings (n, D)."""
        return torch.from_numpy(self._cache.vectors(np.array([self._rows[path] for path in paths])))
