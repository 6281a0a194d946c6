"""The embeddings of example pictures of what a person looks for; examples are never shown, counted or asked."""

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.embedding.cache import Embeddings, key
from IA.embedding.embedder import Embedder
from IA.text.image_files import EXAMPLES_AT_MOST, images_below

log = logging.getLogger(__name__)

AT_ONCE = 32  # One step embeds this many, in a second or so.
NAMED = 5  # The warning names this many unreadable examples.


class Examples:
    """The embeddings of a folder of pictures, listed when this object is made, and kept on the disk.

    Attributes:
        folder: holds the pictures.
    """

    def __init__(self, run: Path, loop: str, embedder: Embedder, folder: Path) -> None:
        """List the pictures; none is read yet.

        Args:
            run: the run directory.
            loop: its cache keeps the embeddings.
            embedder: of the network.
            folder: searched with its subfolders for `EXAMPLES_AT_MOST` pictures at most.
        """
        self.folder = folder
        self._embedder = embedder
        self._cache = Embeddings(embedder.cache_of(run, f"{loop}/examples"), embedder.backbone.dimension)
        self._keys = {path: known for path in images_below(folder) if (known := key(folder, path)) is not None}
        rows = self._cache.rows(np.array(list(self._keys.values()), np.uint64))
        self._rows = {path: int(row) for path, row in zip(self._keys, rows, strict=True) if row >= 0}
        self._missing = [path for path in self._keys if path not in self._rows]
        self._unreadable: list[str] = []
        self._is_reported = False

    def step(self) -> bool:
        """Embed some of the pictures; returns whether there are more."""
        asked, self._missing = self._missing[:AT_ONCE], self._missing[AT_ONCE:]
        for batch in self._embedder.embed([self.folder / path for path in asked]):
            first, found = len(self._cache), [asked[place] for place in batch.places]
            self._cache.append(np.array([self._keys[path] for path in found], np.uint64), batch.vectors)
            self._rows |= {path: first + place for place, path in enumerate(found)}
            self._unreadable += [asked[place] for place, _ in batch.failed]
        if not self._missing and not self._is_reported:
            self._is_reported = True
            self._report()
        return bool(self._missing)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """Embeddings (E, D) of the pictures that could be read so far."""
        return self._cache.vectors(np.array([self._rows[path] for path in self._keys if path in self._rows], np.int64))

    def _report(self) -> None:
        if not self._rows:
            log.warning("none of the examples in %s can be read; it goes on without them", self.folder)
        elif self._unreadable:
            named = ", ".join(repr(path) for path in self._unreadable[:NAMED])
            log.warning("%d examples in %s are unreadable: %s", len(self._unreadable), self.folder, named)
        log.info("%d examples in %s, %d of them at most", len(self._rows), self.folder, EXAMPLES_AT_MOST)
