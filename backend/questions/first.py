"""What a person wants asked before all else: doubtful or similar images, places of the map, or random ones."""

import numpy as np

from backend.questions.audit import Audit
from backend.questions.doubtful import Doubtful, Numbers
from backend.questions.queue import Queue
from backend.wire.status import AskedFirst, FirstReason
from IA.protocol.fields import Floats
from IA.protocol.records import Settings


class First:
    """The last wish of a person, which replaces the one before; a restart forgets all but random images."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._why: FirstReason = "doubtful"
        self._doubtful: tuple[Doubtful, Numbers] | None = None  # the band, and the images wanted in it
        self._answered_at_random = 0

    def ask_like(self, images: Numbers) -> None:
        """Ask these images before the ranking: they are similar to another one."""
        self._ask(images, "like")

    def ask_places(self, images: Numbers) -> None:
        """Ask these images before the ranking: a person has chosen their places on the map."""
        self._ask(images, "map")

    def ask_doubtful(self, band: Doubtful, images: Numbers) -> None:
        """Ask these images before the ranking, as long as their probability is in the band."""
        self._ask(images, "doubtful")
        self._doubtful = band, images

    def end_random(self, answers: int) -> None:
        """Take note that there are as many random answers as were wanted."""
        self.forget()
        self._why, self._answered_at_random = "random", answers

    def forget(self) -> None:
        """Ask in the usual order again."""
        self._ask(np.zeros(0, np.int32), "like")

    def _ask(self, images: Numbers, why: FirstReason) -> None:
        self._why, self._doubtful, self._answered_at_random = why, None, 0
        self._queue.ask_first(images.astype(np.int32).data)

    def follow(self, probability: Floats) -> None:
        """Stop asking images that the model no longer doubts.

        Which images these are depends on the probabilities alone, and so not on what was drawn at random.
        """
        if self._doubtful is not None:
            band, images = self._doubtful
            known = np.asarray(probability)
            self._queue.narrow(band.nearest(images[images < len(known)], known).astype(np.int32).data)

    def report(self, settings: Settings, audit: Audit) -> AskedFirst | None:
        """What the status shows: why, how many images there were to ask, and how many are left; None: no wish."""
        if settings.audit_until is not None:
            return {"why": "random", "images": settings.audit_until, "left": audit.random_left(settings.audit_until)}
        if self._why == "random":
            return {"why": "random", "images": self._answered_at_random, "left": 0}
        left, images = self._queue.asked_first
        return {"why": self._why, "images": images, "left": left} if images else None
