"""Why an image is not asked: the answer that stands for it, its file, and who failed to decode it."""

import threading
from collections.abc import Collection

from backend.images.images import Images
from backend.questions.queue import Queue
from backend.store.labels import Labels
from backend.store.table import Label
from IA.duplicates.groups import ImageState


class Marking:
    """Marks in the queue what is known of each image; every method may be called from any thread."""

    def __init__(self, queue: Queue, labels: Labels, images: Images) -> None:
        self._queue = queue
        self._labels = labels
        self._images = images
        self._undecodable: set[int] = set()  # by the previews of this server
        self._unscorable: set[int] = set()  # by inference, which decodes with other limits
        self._lock = threading.Lock()  # No other label is marked between reading one and marking it.

    @property
    def unreadable(self) -> int:
        """How many images could not be decoded, by the previews or by inference."""
        return len(self._undecodable | self._unscorable)

    @property
    def unscorable(self) -> int:
        """How many images inference could not decode."""
        return len(self._unscorable)

    def answered(self, image: int, label: Label | None, is_sampled: bool) -> None:
        """Mark an image by the label that stands for it; where none stands, the image is asked again.

        The store calls this in the order in which labels change, so the last mark is that of the last label.
        """
        with self._lock:
            self._queue.answer(image, label, is_sampled)

    def changed(self, image: int) -> None:
        """Mark an image that came, went or was written anew; the previews may be able to decode its new content."""
        self._undecodable.discard(image)
        self._queue.mark(image, ImageState.GONE, self._images.is_gone(image))
        self._queue.mark(image, ImageState.UNREADABLE, image in self._unscorable)
        path = self._images.path(image)
        with self._lock:
            self._queue.answer(image, self._labels.label(path), self._labels.is_sampled(path))

    def is_undecodable(self, image: int) -> bool:
        """Whether the previews could not decode this image."""
        return image in self._undecodable

    def undecodable(self, image: int) -> None:
        """Mark an image that the previews could not decode."""
        self._undecodable.add(image)
        self._queue.mark(image, ImageState.UNREADABLE, True)

    def take_unscorable(self, images: Collection[int]) -> None:
        """Mark the images that inference could not decode, and no others on its behalf."""
        unscorable = {image for image in images if image < len(self._images)}
        for image in unscorable ^ self._unscorable:
            self._queue.mark(image, ImageState.UNREADABLE, image in unscorable or image in self._undecodable)
        self._unscorable = unscorable
