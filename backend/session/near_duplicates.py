"""Near duplicates that inference has found: they are one question, unless a person has split them."""

import threading
from collections.abc import Mapping

from backend.images.images import Images
from backend.previews.ahead import Ahead
from backend.questions.queue import Queue
from backend.session.changes import Changes
from backend.store.labels import Labels
from IA.duplicates.groups import divided
from IA.protocol.pickle_file import Version
from IA.protocol.records import Duplicates


class NearDuplicates:
    """Divides the images of the queue into groups; every method may be called from any thread.

    Attributes:
        version: what inference has found; None before it has.
    """

    def __init__(self, queue: Queue, labels: Labels, images: Images, ahead: Ahead, changes: Changes) -> None:
        self.version: Version[Duplicates] | None = None
        self._queue = queue
        self._labels = labels
        self._images = images
        self._ahead = ahead
        self._changes = changes
        self._grouped = 0  # images that the division knows
        self._same: dict[str, str] | None = None  # None: to be made from the present division
        self._lock = threading.Lock()

    def take(self, version: Version[Duplicates]) -> None:
        """Take up what inference has found, and again when there are images that the last division did not know."""
        if version is not self.version or self._grouped < min(len(version.content.first), len(self._images)):
            self.version = version
            self.divide()

    def divide(self) -> None:
        """Ask near duplicates as one from now on, but for those that were split."""
        with self._lock:
            if self.version is None:
                return
            split = [number for path in self._labels.splits if (number := self._images.number(path)) is not None]
            first = divided(self.version.content.first, len(self._images), split)
            self._queue.group(first)
            self._same, self._grouped = None, len(first)
        self._ahead.wake()
        self._changes.notify()

    @property
    def same(self) -> Mapping[str, str]:
        """Each image that has near duplicates by the path of the one that stands for it.

        The object is the same one until the division changes, so that figures counted with it can be kept.
        """
        with self._lock:
            if self._same is None:
                self._same = {
                    self._images.path(image): self._images.path(unit) for image, unit in self._queue.states.copied()
                }
            return self._same
