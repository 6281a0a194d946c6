"""More like this: finds the images that are most similar to one that a person has chosen."""

import logging
from pathlib import Path

import numpy as np

from IA.pool.scorer import Scorer
from IA.prior.reading import Reading
from IA.protocol.files import SIMILAR, WANTED
from IA.protocol.pickle_file import publish
from IA.protocol.shown import MOST_SIMILAR, Similar
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)


class LikeThis:
    """Answers each request in wanted.pickle once, with similar.pickle."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._wanted = Latest(run, WANTED)
        self._answered = ""

    def turn(self, scorer: Scorer) -> bool:
        """Answer if there is a new request; returns whether one waits until the encoder of prompts is loaded.

        Raises:
            OSError: the answer cannot be published; the next turn tries again.
        """
        wanted = self._wanted.content()
        if wanted is None or wanted.request == self._answered:
            return False
        reading = Reading([], None)
        if wanted.image is not None:
            most_similar = scorer.most_similar(wanted.image, MOST_SIMILAR)
        else:
            try:
                most_similar, reading = scorer.fitting(wanted.prompt, MOST_SIMILAR)
            except BlockingIOError:
                return True
        images = np.array([image for image, _ in most_similar], np.int32)
        scores = np.array([score for _, score in most_similar], np.float32)
        publish(self._run, SIMILAR, Similar(wanted.request, images, scores, reading.classes, reading.note))
        self._answered = wanted.request
        log.info("%d images like %r", len(most_similar), wanted.prompt if wanted.image is None else wanted.image)
        return False
