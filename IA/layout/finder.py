"""Keeps the layout of the folder: layout.pickle has a place for each embedded image.

A first layout by principal components is there at once, and takes up images as they are embedded. Once all of them are,
t-SNE lays out a random sample, if its library is installed; it begins with the places of the layout before, and every
other image goes to its nearest neighbours in the sample. Images that come later are placed in the same way, and no
other image moves for them, until there are `GROWTH` times as many.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.layout.fitting import Fitting
from IA.layout.maps import LinearMap, NeighbourMap, PlacingMap, framed
from IA.layout.tsne import is_installed
from IA.pool.pool import Pool
from IA.pool.view import ProjectedPool
from IA.process.priority import give_way
from IA.protocol.files import LAYOUT
from IA.protocol.pickle_file import publish, read
from IA.protocol.shown import Layout

log = logging.getLogger(__name__)

PCA, TSNE = "pca", "tsne"
SAMPLE = 20_000  # A layout is computed from this many images at most.
LEAST_PCA = 3  # images
LEAST_TSNE = 200  # images; fewer can be taken in at a glance
GROWTH = 1.5  # With so many times the images everything is laid out anew.
GROWTH_EMBEDDING = 4.0  # The same while images are still being embedded.
WAIT_S = 0.02  # A turn waits so long for places that are being computed.
PUBLISH_EVERY_S = 5.0  # While images are being embedded the layout is published this often.

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass
class _Draft:
    """Another layout, until it takes the place of the one in force.

    Attributes:
        method: how it is computed.
        images: how many images were embedded when it began.
        places: (N, 2) the places so far.
        waits_for: (n,) numbers of the images that it must have a place for; others come while it is computed.
    """

    method: str
    images: int
    places: Floats
    waits_for: Numbers

    def is_complete(self, embedded: Numbers) -> bool:
        """Whether all that it waits for have a place, except those that are embedded no longer."""
        missing = np.zeros(len(self.places), np.bool_)
        missing[embedded] = np.isnan(self.places[embedded, 0])
        return not missing[self.waits_for].any()


class LayoutFinder:
    """Keeps layout.pickle up to date with the embedded images."""

    def __init__(self, run: Path) -> None:
        """Begin with the published layout, if there is one."""
        self._run = run
        self._places: Floats = np.full((0, 2), np.nan, np.float32)  # as published, or as soon will be
        self._method = ""
        self._backbone = ""  # the fingerprint of the backbone whose embeddings are laid out
        self._fitted = 0  # how many images were embedded when the layout was computed
        self._failed = 0  # how many were when t-SNE failed
        self._keys = np.zeros(0, np.uint64)  # the key under which each image was placed
        self._view: ProjectedPool | None = None
        self._map: PlacingMap | None = None
        self._draft: _Draft | None = None
        self._fitting: Fitting | None = None
        self._fitting_of = 0  # how many images were embedded when it began
        self._fitting_began_s = 0.0
        self._placing: tuple[Numbers, Future[Floats]] | None = None
        self._worker = ThreadPoolExecutor(1, "layout", initializer=give_way)
        self._to_publish = False
        self._published_s = 0.0
        self._begins = True

    def turn(self, pool: Pool, fingerprint: str, embeds: bool, has_news: Callable[[], bool]) -> bool:
        """Place some images, begin another layout if one is due, and publish what has changed.

        Args:
            pool: the images.
            fingerprint: of the backbone that embeds them.
            embeds: whether images are still being embedded.
            has_news: whether something more urgent has come.

        Returns:
            Whether there is more to do at once.

        Raises:
            OSError: the layout cannot be published, or the computation not be started; the next turn tries again.
        """
        self._follow(pool, fingerprint)
        if self._view is None or has_news():
            return self._placing is not None
        embedded = self._view.embedded
        self._take_places()
        self._end_fitting(embedded)
        if self._placing is None and self._draft is None:
            self._begin(embedded, embeds)
        busy = self._place(embedded)
        is_new = self._draft is not None and self._draft.is_complete(embedded)
        if self._draft is not None and is_new:
            self._method, self._fitted, self._places = self._draft.method, self._draft.images, self._draft.places
            self._draft, self._to_publish = None, True
        at_once = not busy and not embeds
        is_time = at_once or time.monotonic() - self._published_s >= PUBLISH_EVERY_S
        if self._to_publish and self._draft is None and is_time:
            self._publish()
        return busy or is_new

    def close(self) -> None:
        """End what is being computed."""
        if self._fitting is not None:
            self._fitting.close()
        self._worker.shutdown(cancel_futures=True)

    # --- following the pool -------------------------------------------------------------------------------------------

    def _follow(self, pool: Pool, fingerprint: str) -> None:
        """Make room for new images, and forget the places of images that have changed."""
        if self._begins and len(pool):
            self._begins = False
            self._resume(pool)
        more = len(pool) - len(self._keys)
        if more > 0:
            self._keys = np.pad(self._keys, (0, more))
            self._places = _grown(self._places, len(pool))
            if self._draft is not None:
                self._draft.places = _grown(self._draft.places, len(pool))
        changed = np.flatnonzero(self._keys != pool.keys)
        if len(changed):
            known = changed[self._keys[changed] != 0]
            self._to_publish |= bool(np.isfinite(self._places[known, 0]).any())
            self._places[known] = np.nan
            if self._draft is not None:
                self._draft.places[known] = np.nan
            self._keys = pool.keys.copy()
        if fingerprint != self._backbone:
            self._backbone, self._fitted, self._failed = fingerprint, 0, 0
            if self._fitting is not None:
                self._fitting.close()
                self._fitting = None
        if pool.view is not self._view:
            self._view = pool.view
            self._map = self._draft = self._placing = None

    def _resume(self, pool: Pool) -> None:
        try:
            layout = read(self._run, LAYOUT).content
        except (OSError, ValueError):
            return
        places = np.stack([np.asarray(layout.x), np.asarray(layout.y)], axis=1)[: len(pool)]
        self._keys = pool.keys.copy()
        self._places = _grown(places, len(pool))
        self._method, self._backbone, self._fitted = layout.method, layout.backbone, layout.images

    # --- another layout -----------------------------------------------------------------------------------------------

    def _begin(self, embedded: Numbers, embeds: bool) -> None:
        """Begin another layout if one is due, else see how new images are placed."""
        if len(embedded) < LEAST_PCA:
            return
        if self._fitting is None:
            self._begin_another(embedded, embeds)
        if self._map is None:
            self._go_on(embedded)

    def _begin_another(self, embedded: Numbers, embeds: bool) -> None:
        is_due = len(embedded) >= (GROWTH_EMBEDDING if embeds else GROWTH) * self._fitted
        can_tsne = len(embedded) >= LEAST_TSNE and len(embedded) >= GROWTH * self._failed and is_installed()
        if not self._method or (is_due and (not can_tsne or (embeds and self._method == PCA))):
            self._lay_out_linearly(embedded)
        elif can_tsne and not embeds and (is_due or self._method == PCA):
            self._start_fitting(embedded)

    def _go_on(self, embedded: Numbers) -> None:
        """Place what comes as the present layout has placed the others, in whatever space they are now."""
        if self._view is None:
            return
        numbers = _sample(embedded[np.isfinite(self._places[embedded, 0])])
        if len(numbers) < LEAST_PCA:
            self._lay_out_linearly(embedded)
        elif self._method == PCA:
            self._map = LinearMap.from_places(self._view.vectors(numbers), self._places[numbers])
        else:
            self._map = NeighbourMap.from_places(self._view.vectors(numbers), self._places[numbers])

    def _lay_out_linearly(self, embedded: Numbers) -> None:
        if self._view is None:
            return
        numbers = _sample(embedded)
        before = self._places[numbers]
        is_known = np.isfinite(before).all()
        self._map = LinearMap.from_vectors(self._view.vectors(numbers), before if is_known else None)
        self._draft = _Draft(PCA, len(embedded), np.full_like(self._places, np.nan), embedded)

    def _start_fitting(self, embedded: Numbers) -> None:
        """Have t-SNE lay out a sample, once every image of it has a place to begin with."""
        if self._view is None or not np.isfinite(self._places[embedded]).all():
            return
        numbers = _sample(embedded)
        folder = self._run / "cache" / "inference" / "layout"
        self._fitting = Fitting(folder, numbers, self._view.vectors(numbers), self._places[numbers])
        self._fitting_began_s, self._fitting_of = time.monotonic(), len(embedded)
        log.info("laying out %d images by t-SNE", len(numbers))

    def _end_fitting(self, embedded: Numbers) -> None:
        """Take up the result of t-SNE, if it is there and the images are."""
        if self._fitting is None or self._fitting.is_running or self._placing is not None or self._view is None:
            return
        fitting, self._fitting = self._fitting, None
        places = fitting.places()
        if places is None:
            self._failed = len(embedded)
            return
        numbers, places = fitting.numbers, framed(places)
        still = np.isin(numbers, embedded)
        numbers, places = numbers[still], places[still]
        if not len(numbers):
            return
        log.info("t-SNE has laid out %d images in %.1f s", len(numbers), time.monotonic() - self._fitting_began_s)
        self._map = NeighbourMap.from_places(self._view.vectors(numbers), places)
        draft = np.full_like(self._places, np.nan)
        draft[numbers] = places
        self._draft = _Draft(TSNE, self._fitting_of, draft, embedded)

    # --- placing ------------------------------------------------------------------------------------------------------

    @property
    def _present(self) -> Floats:
        """The places that are being filled in."""
        return self._places if self._draft is None else self._draft.places

    def _take_places(self) -> None:
        """Take up the places that were computed; waits a moment for them."""
        if self._placing is None:
            return
        numbers, future = self._placing
        wait([future], WAIT_S)
        if future.done():
            self._placing = None
            still = self._keys[numbers] != 0  # The others have gone meanwhile.
            self._present[numbers[still]] = np.nan_to_num(future.result()[still])
            self._to_publish = True

    def _place(self, embedded: Numbers) -> bool:
        """Have some missing places computed; returns whether any are missing."""
        if self._map is None or self._view is None:
            return False
        missing = embedded[np.isnan(self._present[embedded, 0])]
        if len(missing) and self._placing is None:
            numbers = missing[: self._map.at_once]
            self._placing = numbers, self._worker.submit(self._map.place, self._view.vectors(numbers))
        return bool(len(missing))

    def _publish(self) -> None:
        x, y = np.ascontiguousarray(self._places.T)
        generation = publish(self._run, LAYOUT, Layout(x.data, y.data, self._method, self._backbone, self._fitted))
        self._to_publish = False
        self._published_s = time.monotonic()
        placed = int(np.isfinite(x).sum())
        log.info("layout %d by %s: %d of %d images placed", generation, self._method, placed, len(x))


def _grown(places: Floats, images: int) -> Floats:
    grown = np.full((max(images, len(places)), 2), np.nan, np.float32)
    grown[: len(places)] = places
    return grown


def _sample(numbers: Numbers) -> Numbers:
    """At most `SAMPLE` of these numbers, at random."""
    if len(numbers) <= SAMPLE:
        return numbers
    return np.sort(np.random.default_rng(0).choice(numbers, SAMPLE, replace=False))
