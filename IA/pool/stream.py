"""The images of a pool that have no embedding yet are embedded in the background, in the most useful order."""

import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from IA.embedding.cache import key
from IA.embedding.embedder import Batch, Embedder
from IA.embedding.order import EmbeddingOrder
from IA.embedding.shared import SharedEmbeddings
from IA.images.tiles import grid_of, photo_of
from IA.learning.events import Events
from IA.pool.pool import Pool
from IA.process.lookahead import Lookahead

log = logging.getLogger(__name__)

TURN_S = 0.5  # A turn takes embedded batches for this long, unless something new is to be learnt.
NEWS_EVERY_S = 0.02  # How often a turn looks for something new while no batch is ready.
BATCHES_AHEAD = 2  # The stream embeds this many batches while the loop scores and publishes.
LOOK_EVERY_S = 0.1  # How often this process looks for embeddings that another run makes.
FIRST_FEATURES = 64  # The pool is described for the first time once this many images are embedded.
SEED = 0


class EmbeddingStream:
    """Embeds what a pool is missing, with threads that go on between the turns of the loop."""

    def __init__(self, pool: Pool, cache: SharedEmbeddings, embedder: Embedder, events: Events) -> None:
        """Begin with no list of images.

        Args:
            pool: takes the embeddings.
            cache: the pool's own; another run over the same folder may write to it.
            embedder: of the backbone.
            events: of the loop.
        """
        self._pool = pool
        self._cache = cache
        self._embedder = embedder
        self._events = events
        self._datadir = Path()
        self._inside: Path | None = None
        self._paths: Sequence[str] = []
        self._tiles = 1  # How many tiles each photo has; they follow one another in the list.
        self._order = EmbeddingOrder(np.zeros(0, np.int64), SEED)
        self._asked: list[int] = []  # The images taken from the order so far, which is the order of the batches.
        self._batches: Lookahead[Batch] | None = None
        self._gives_way = False
        self._has_changed = False
        self._warned: set[int] = set()  # The keys of the photos that a warning has named as unreadable.
        self._bar = tqdm(disable=True)

    def follow(self, datadir: Path, paths: Sequence[str]) -> None:
        """Take up the list of images.

        Args:
            datadir: the image folder.
            paths: of the images in it, by number.
        """
        self._datadir, self._paths = datadir, paths
        self._tiles = len(grid) if paths and (grid := grid_of(paths[0])) else 1

    def file(self, number: int) -> tuple[Path, Path | None]:
        """The file of an image, and the folder that the file must lie in, if any."""
        return self._datadir / self._paths[number], self._inside

    def stay_inside(self, inside: Path | None) -> None:
        """Read only files that lie in this folder from now on; None: files anywhere."""
        self._inside = inside

    def has_more(self) -> bool:
        """Take up what another run over the same folder has embedded; returns whether any image is still missing."""
        if self._cache.follow() and self._pool.find():
            self._cache.served()
            self._has_changed = True
        return bool(len(self._pool.missing()))

    def take_changed(self) -> bool:
        """Whether the pool has changed since the last call."""
        changed, self._has_changed = self._has_changed, False
        return changed

    def turn(self, has_news: Callable[[], bool], gives_way: bool) -> None:
        """Take batches until the turn is over or something new has come.

        Other threads embed the batches, and go on between the turns. A person waits for the first batches, so only
        those after them give way to other processes.

        Args:
            has_news: whether something new is to be learnt.
            gives_way: whether the threads are to give way; without, the turn ends once the pool can be described.
        """
        if len(self._pool.missing()) and not self._cache.lead():
            time.sleep(LOOK_EVERY_S)
            return
        images = 0
        began = time.perf_counter()
        while time.perf_counter() - began < TURN_S and not has_news():
            if self._batches is None and not self._begin(gives_way):
                break
            if self._batches is None or not self._batches.is_ready(NEWS_EVERY_S):
                continue
            if (batch := self._batches.take()) is not None:
                self._keep(batch)
                images += len(batch.places)
                continue
            self.close()
            if not gives_way:  # the pool can be described now
                break
        if images:
            rate = images / (time.perf_counter() - began)
            self._events.scalar("embedding/images_per_s", rate, self._pool.embedded)

    def prefer(self, likeliest: Callable[[], Sequence[int]]) -> None:
        """Embed what lies beside these images soon, if anything is still to be embedded.

        Args:
            likeliest: the most promising images, the best first; asked only if needed.
        """
        if self._order.left:
            self._order.prefer_beside(likeliest())

    def close(self) -> None:
        """Embed no more until the next turn."""
        if self._batches is not None:
            self._batches.close()
            self._batches = None

    def _begin(self, gives_way: bool) -> bool:
        """Begin to embed what is missing, or only the first of it if it does not give way; False if nothing is."""
        missing = self._pool.missing()
        self._order, self._asked = EmbeddingOrder(missing, SEED, self._tiles), []
        self._bar.close()
        self._bar = tqdm(
            total=len(missing), unit="image", desc="embedding", leave=False, mininterval=0.5, disable=not len(missing)
        )
        if not len(missing):
            self._cache.rest()
            return False
        if gives_way and not self._gives_way:
            self._embedder.give_way()
            self._gives_way = True
        files = self._files(None if gives_way else math.ceil(FIRST_FEATURES / self._tiles) * self._tiles)
        self._batches = Lookahead(self._embedder.embed(files, self._inside), BATCHES_AHEAD, gives_way)
        return True

    def _files(self, most: int | None) -> Iterator[Path]:
        """The files to embed, each taken while earlier ones are embedded, so that `prefer` soon takes effect.

        Args:
            most: how many files at most; None: all.
        """
        for number in itertools.islice(self._order, most):
            if self._pool.key(number) is not None:  # another run was faster
                self._bar.update()
                continue
            self._asked.append(number)
            yield self._datadir / self._paths[number]

    def _keep(self, batch: Batch) -> None:
        self._pool.add(np.array([self._asked[place] for place in batch.places], np.int64), batch.vectors)
        for place, reason in batch.failed:
            number = self._asked[place]
            photo = photo_of(self._paths[number])
            version = key(self._datadir, photo)
            if version is None:
                self._pool.lose(number)
                continue
            if version not in self._warned:  # the other tiles of this photo are unreadable for the same reason
                self._warned.add(version)
                log.warning("%r is unreadable. %s", photo, reason)
            self._pool.fail(number)
        self._bar.update(len(batch.places) + len(batch.failed))
        self._has_changed = True
