"""More like this: which images are most like one that a person points at, for the server."""

import logging
from pathlib import Path

import numpy as np

from IA.pool.scorer import Scorer
from IA.protocol.files import SIMILAR, WANTED
from IA.protocol.pickle_file import publish
from IA.protocol.records import MOST_SIMILAR, Similar
from IA.protocol.watching import Latest

log = logging.getLogger(__name__)


class LikeThis:
    """Answers wanted.pickle with similar.pickle, each wish once."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._wanted = Latest(run, WANTED)
        self._answered = ""

    def turn(self, scorer: Scorer) -> None:
        """Answer if something new is wanted.

        Raises:
            OSError: the answer cannot be published; it is tried again.
        """
        wanted = self._wanted.content()
        if wanted is None or wanted.request == self._answered:
            return
        most_similar = scorer.most_similar(wanted.image, MOST_SIMILAR)
        images = np.array([image for image, _ in most_similar], np.int32)
        cosine = np.array([cosine for _, cosine in most_similar], np.float32)
        publish(self._run, SIMILAR, Similar(wanted.request, images, cosine))
        self._answered = wanted.request
        log.info("%d images like image %d", len(most_similar), wanted.image)
