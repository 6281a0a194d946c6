"""The map of one run: the layout that inference has published, with what is known of the images now."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from backend.images.images import Images
from backend.map.clusters import Clusters, Places
from backend.map.points import (
    LABELS,
    UNKNOWN,
    MapPoints,
    answers,
    coordinates,
    figures,
    in_bytes,
    resized,
    squashed,
)
from backend.questions.queue import Queue
from backend.questions.states import is_to_pass
from backend.store.model_labels import ModelLabels
from backend.store.table import Label
from backend.wire.map import MapCluster
from IA.duplicates.groups import AWAY
from IA.protocol.pickle_file import Version
from IA.protocol.records import Predictions
from IA.protocol.shown import Layout

Numbers = npt.NDArray[np.int32]


class FolderMap:
    """What the map shows; every method may be called from any thread."""

    def __init__(self, queue: Queue, images: Images, model_labels: ModelLabels, on_change: Callable[[], None]) -> None:
        """Begin without a layout; `on_change` is called once there is another one."""
        self._queue = queue
        self._images = images
        self._model_labels = model_labels
        self._on_change = on_change
        self._layout: Version[Layout] | None = None
        self._predictions: Version[Predictions] | None = None
        self._lock = threading.Lock()
        self._clusters: tuple[Version[Layout], Clusters] | None = None
        self._by_model: tuple[str, Numbers] | None = None  # the id of a finish, and the images that it has labelled

    # --- what inference publishes -------------------------------------------------------------------------------------

    def take_layout(self, version: Version[Layout] | None) -> None:
        """Show this layout from now on."""
        if version is not None and version is not self._layout:
            self._layout = version
            self._on_change()

    def take_predictions(self, version: Version[Predictions] | None) -> None:
        """Show these probabilities and this prior from now on."""
        self._predictions = version

    # --- looking ------------------------------------------------------------------------------------------------------

    @property
    def generation(self) -> int | None:
        """Of the layout; None: there is none."""
        return None if self._layout is None else self._layout.generation

    @property
    def method(self) -> str | None:
        """How the places of the layout were computed; None: there is none."""
        return None if self._layout is None else self._layout.content.method

    @property
    def placed(self) -> int:
        """How many images have a place."""
        return 0 if self._layout is None else int(np.isfinite(np.asarray(self._layout.content.x)).sum())

    def points(self) -> tuple[int, MapPoints] | None:
        """The generation of the layout and all points as they are now; None: there is no layout."""
        layout = self._layout
        if layout is None:
            return None
        states = self._queue.states.of_images.copy()
        images, places = len(states), _places(layout.content)
        clusters = resized_clusters(self._divided(layout, places), images)
        x, y = coordinates(places, images)
        probability, prior = self._scores(images)
        return layout.generation, MapPoints(x, y, answers(states, self._labelled()), probability, prior, clusters)

    def clusters(self) -> list[MapCluster]:
        """The clusters as they are now; none where there is no layout."""
        layout, found = self._layout, self.points()
        if layout is None or found is None:
            return []
        return figures(self._divided(layout, _places(layout.content)), found[1])

    def shown(self, numbers: Sequence[int]) -> list[tuple[int, Label | None, float | None]]:
        """Each of these images that is there, with what the map shows of its answer and of its probability."""
        states, held = self._queue.states.of_images.copy(), self._queue.in_hands()
        there = [number for number in numbers if number < len(states) and not states[number] & AWAY]
        codes = answers(states[there])
        known = None if self._predictions is None else np.asarray(self._predictions.content.probability)
        shown: list[tuple[int, Label | None, float | None]] = []
        for number, code in zip(there, codes.tolist(), strict=True):
            probability = np.nan if known is None or number >= len(known) or number in held else known[number]
            shown.append((number, LABELS.get(code), None if np.isnan(probability) else float(probability)))
        return shown

    def to_ask(self, images: npt.NDArray[np.integer]) -> Numbers:
        """Those of these images that the model may still ask for, the likeliest first.

        Neither the images nor their order depend on what was drawn at random: drawn images are among them.
        """
        states = self._queue.states.of_images.copy()
        images = images[images < len(states)]
        chosen = images[is_to_pass(states[images])]
        _, first = np.unique(chosen, return_index=True)
        chosen = chosen[np.sort(first)]
        predictions = self._predictions
        known = np.zeros(0, np.float32) if predictions is None else np.asarray(predictions.content.probability)
        probability = np.nan_to_num(resized(known, len(states))[chosen], nan=-1.0)
        ordered: Numbers = chosen[np.argsort(-probability, kind="stable")].astype(np.int32)
        return ordered

    # --- within -------------------------------------------------------------------------------------------------------

    def _divided(self, layout: Version[Layout], places: Places) -> Clusters:
        with self._lock:
            if self._clusters is None or self._clusters[0] is not layout:
                before = None if self._clusters is None else self._clusters[1].centres
                self._clusters = layout, Clusters.from_places(places, before)
            return self._clusters[1]

    def _scores(self, images: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Probability and prior of each image; nobody is told those of an image that somebody is being asked."""
        predictions = self._predictions
        if predictions is None:
            return np.full(images, UNKNOWN, np.uint8), np.full(images, UNKNOWN, np.uint8)
        probability = in_bytes(np.asarray(predictions.content.probability), images)
        prior = in_bytes(squashed(np.asarray(predictions.content.prior)), images)
        held = [image for image in self._queue.in_hands() if image < images]
        probability[held] = prior[held] = UNKNOWN
        return probability, prior

    def _labelled(self) -> Numbers | None:
        """The images that the finish that stands has labelled; None: no finish stands."""
        finish = self._model_labels.standing
        if finish is None:
            return None
        with self._lock:
            if self._by_model is None or self._by_model[0] != finish.id:
                found = map(self._images.number, self._model_labels.paths())
                self._by_model = finish.id, np.array([number for number in found if number is not None], np.int32)
            return self._by_model[1]


def _places(layout: Layout) -> Places:
    return np.stack([np.asarray(layout.x), np.asarray(layout.y)], axis=1)


def resized_clusters(clusters: Clusters, images: int) -> npt.NDArray[np.uint8]:
    """The cluster of each of so many images; none for those that the layout does not know."""
    of = np.full(images, UNKNOWN, np.uint8)
    of[: len(clusters.of)] = clusters.of[:images]
    return of
