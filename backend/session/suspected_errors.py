"""The answers of a session that are worth a second look, kept until something changes."""

import math
import threading
from collections.abc import Mapping

from backend.images.images import Images
from backend.session.changes import Changes
from backend.session.following import Following
from backend.store.figures.label_errors import SuspectedError
from backend.store.labels import Labels
from backend.store.table import Answer


class SuspectedErrors:
    """Finds suspected errors among the standing answers; every method may be called from any thread."""

    def __init__(self, labels: Labels, images: Images, following: Following, changes: Changes) -> None:
        self._labels = labels
        self._images = images
        self._following = following
        self._changes = changes
        self._found: tuple[int, Mapping[str, float], list[SuspectedError]] | None = None  # with its two sources
        self._looking = threading.Lock()  # One thread looks; the others wait and share its result.

    def first(self, limit: int) -> tuple[list[tuple[Answer, SuspectedError]], int]:
        """The most suspicious answers, `limit` at most, and how many there are in all."""
        found = self._all()
        first = {suspected.path: suspected for suspected in found[:limit]}
        standing = self._labels.stored.numbered([suspected.seq for suspected in first.values()])
        return [(answer, first[answer.path]) for answer in standing], len(found)

    def _all(self) -> list[SuspectedError]:
        with self._looking:
            count, held_out = self._changes.count, self._following.held_out
            if self._found is None or self._found[0] != count or self._found[1] is not held_out:
                found = self._labels.stored.suspected_errors(held_out, self._predicted)
                self._found = count, held_out, [each for each in found if self._is_there(each.path)]
            return self._found[2]

    def _is_there(self, path: str) -> bool:
        """Whether a person can look at the image again."""
        image = self._images.number(path)
        return image is not None and not self._images.is_gone(image)

    def _predicted(self, path: str) -> float | None:
        """The model's present probability of an image."""
        image, predictions = self._images.number(path), self._following.predictions
        if image is None or predictions is None or image >= len(predictions.content.probability):
            return None
        probability = float(predictions.content.probability[image])
        return None if math.isnan(probability) else probability
