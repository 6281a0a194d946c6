"""Explains the head of the ranking, for the server: where the model looks, and which answers are nearest."""

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from IA.dataset import load_with_box
from IA.explanations.activation_map import ProjectedFeatureMap, activation_map, over_picture
from IA.explanations.feature_maps import FeatureMaps, SetAside
from IA.images.pictures import UnreadableError
from IA.learning.head import Head
from IA.learning.projection import Projection
from IA.model import Checkpoint
from IA.pool.scorer import Scorer
from IA.protocol.files import ANNOTATIONS, EXPLANATIONS, PREDICTOR, RANKING
from IA.protocol.pickle_file import Version, publish
from IA.protocol.records import FULL, LARGEST_MAP, NEIGHBOURS, Explanations, Ranking
from IA.protocol.watching import Latest, signature

log = logging.getLogger(__name__)

EXPLAINED = 24  # images of the head of the ranking
PUBLISH_EVERY_S = 1.0  # while some are still to come
KEPT = 256  # images whose places are kept: some 50 kB each
LEARNING_S = 1.0  # for that long after an answer the next checkpoint is waited for

Box = tuple[float, float, float, float]
Seen = tuple[ProjectedFeatureMap, Box] | None


class Explainer:
    """Publishes explanations.pickle when there is time.

    What is dear, the features of each place in the space of the pool, is kept for every image: a new head costs one
    small product each.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._ranking = Latest(run, RANKING)
        self._fingerprint = ""
        self._maps: FeatureMaps
        self._space: Projection | None = None
        self._seen: OrderedDict[int, Seen] = OrderedDict()  # by the key of the image; None: no map can be had
        self._published: tuple[object, dict[int, int]] = (None, {})  # the ranking, and what of it was explained
        self._published_s = 0.0

    def turn(self, scorer: Scorer, for_s: float, is_urgent: Callable[[], bool]) -> bool:
        """Explain for a while.

        Args:
            scorer: whose checkpoint and images.
            for_s: for so many seconds, but one image at least.
            is_urgent: whether the loop has better things to do, for which it ends early.

        Returns:
            Whether there is more to do.

        Raises:
            OSError: what was explained cannot be published; it is tried again.
        """
        ranking, checkpoint = self._ranking.version(), scorer.checkpoint
        if ranking is None or checkpoint is None or ranking.content.checkpoint != checkpoint.generation:
            return False  # the ranking by this checkpoint is still to come
        if self._is_learning():
            return False
        with _one_core():
            return self._explain(scorer, checkpoint, ranking, for_s, is_urgent)

    def _explain(
        self,
        scorer: Scorer,
        checkpoint: Checkpoint,
        ranking: Version[Ranking],
        for_s: float,
        is_urgent: Callable[[], bool],
    ) -> bool:
        self._follow(scorer, checkpoint.head.space)
        keys = {int(number): scorer.pool.key(int(number)) for number in ranking.content.images[:EXPLAINED]}
        known = {number: key for number, key in keys.items() if key is not None}
        if self._published[0] is ranking and self._published[1] == known:
            return False
        with contextlib.suppress(SetAside):
            self._look(scorer, known, time.monotonic() + for_s, is_urgent)
            ready = {number: key for number, key in known.items() if key in self._seen}
            is_complete = len(ready) == len(known)
            if is_complete or (ready and time.monotonic() - self._published_s >= PUBLISH_EVERY_S):
                content = self._said(scorer, checkpoint, ready, is_urgent)
                generation = publish(self._run, EXPLANATIONS, content)
                self._published, self._published_s = (ranking, ready), time.monotonic()
                log.info("explanations %d: %d images", generation, len(ready))
            return not is_complete
        return True

    def _follow(self, scorer: Scorer, space: Projection) -> None:
        """Begin anew with another backbone, or where images are compared in another space."""
        if scorer.fingerprint != self._fingerprint:
            self._fingerprint, self._maps = scorer.fingerprint, FeatureMaps(scorer.backbone)
            self._space = None
        if self._space is None or not self._space.is_same(space):
            self._space = space
            self._seen.clear()

    def _look(self, scorer: Scorer, known: dict[int, int], until_s: float, is_urgent: Callable[[], bool]) -> None:
        """See what these images show where, as far as one gets in the time, and at least one of them."""
        for number, key in known.items():
            if key in self._seen:
                self._seen.move_to_end(key)
                continue
            self._seen[key] = self._look_at(scorer, number, is_urgent)
            if len(self._seen) > KEPT:
                self._seen.popitem(last=False)
            if time.monotonic() > until_s:
                return

    def _look_at(self, scorer: Scorer, number: int, is_urgent: Callable[[], bool]) -> Seen:
        file, inside = scorer.file(number)
        try:
            image, box = load_with_box(file, scorer.backbone.preprocessing, inside)
        except (OSError, UnreadableError) as error:
            log.debug("%r cannot be explained: %s", file, error)
            return None
        features = self._maps.feature_map(image, is_urgent)
        return (
            None
            if features is None or self._space is None
            else (ProjectedFeatureMap.from_features(features, self._space), box)
        )

    def _is_learning(self) -> bool:
        """Whether the trainer is at an answer: it needs the processor, and what is said now would soon be old."""
        answered, learnt = signature(self._run / ANNOTATIONS.name), signature(self._run / PREDICTOR)
        if answered is None or learnt is None or answered[1] < learnt[1]:
            return False
        return 0 <= time.time() - answered[1] / 1e9 < LEARNING_S

    def _said(
        self, scorer: Scorer, checkpoint: Checkpoint, ready: dict[int, int], is_urgent: Callable[[], bool]
    ) -> Explanations:
        """What is to be published of these images. Raises SetAside."""
        answered = scorer.answered()
        maps: list[NDArray[np.int8]] = []
        neighbours = np.full((len(ready), 2, NEIGHBOURS), -1, np.int32)
        similarity = np.zeros((len(ready), 2, NEIGHBOURS), np.float32)
        for row, (number, key) in enumerate(ready.items()):
            if is_urgent():
                raise SetAside
            maps.append(_as_bytes(checkpoint.head, self._seen[key]))
            for kind, is_positive in enumerate((True, False)):
                for place, near in enumerate(_nearest(scorer, number, answered[is_positive])):
                    neighbours[row, kind, place], similarity[row, kind, place] = near
        return Explanations(
            checkpoint=checkpoint.generation,
            images=np.array(list(ready), np.int32),
            shapes=np.array([each.shape for each in maps], np.int32).ravel(),
            maps=np.concatenate([np.zeros(0, np.int8), *(each.ravel() for each in maps)]),
            neighbours=neighbours.ravel(),
            similarity=similarity.ravel(),
        )


def _nearest(scorer: Scorer, number: int, answered: Sequence[int]) -> list[tuple[int, float]]:
    """The answered images most similar to an image, each with its cosine, the most similar first."""
    view = scorer.pool.view
    return [] if view is None else view.nearest(number, np.array(answered, np.int64), NEIGHBOURS)


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Leave the others to whoever answers: such small steps are no faster on several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _as_bytes(head: Head, seen: Seen) -> NDArray[np.int8]:
    """The map of an image, (h, w) int8, furthest from 0 at `FULL`; (0, 0) where there is none."""
    if seen is None:
        return np.zeros((0, 0), np.int8)
    places, box = seen
    said = over_picture(activation_map(head, places), box, LARGEST_MAP).nan_to_num(0.0)
    said = said / said.abs().max().clamp(min=1e-12)
    rounded: NDArray[np.int8] = (said * FULL).round().numpy().astype(np.int8)
    return rounded
