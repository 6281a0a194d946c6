"""Explains the images at the head of the ranking: which parts of them decide, and which answers are most similar."""

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
from IA.protocol.records import Ranking
from IA.protocol.shown import FULL, LARGEST_MAP, NEIGHBOURS, Explanations
from IA.protocol.watching import Latest, signature

log = logging.getLogger(__name__)

EXPLAINED = 24  # This many images at the head of the ranking are explained.
PUBLISH_EVERY_S = 1.0  # While some are still to come, explanations are published this often.
KEPT = 256  # The feature maps of this many images are kept; each takes some 50 kB.
LEARNING_S = 1.0  # After an answer, the explainer waits this long for the next checkpoint.

Box = tuple[float, float, float, float]
Seen = tuple[ProjectedFeatureMap, Box] | None


class Explainer:
    """Publishes explanations.pickle when there is time.

    The projected feature maps, which take long to compute, are kept, so that a new head costs one small product for
    each image.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._ranking = Latest(run, RANKING)
        self._fingerprint = ""
        self._maps: FeatureMaps
        self._space: Projection | None = None
        self._seen: OrderedDict[int, Seen] = OrderedDict()  # By the key of the image; None: it has no feature map.
        self._published: tuple[object, dict[int, int]] = (None, {})  # The ranking, and the images of it explained.
        self._published_s = 0.0

    def turn(self, scorer: Scorer, for_s: float, is_urgent: Callable[[], bool]) -> bool:
        """Explain for a while.

        Args:
            scorer: has the checkpoint and the images.
            for_s: for how many seconds; at least one image is explained.
            is_urgent: whether the loop has something more urgent to do; the turn then ends early.

        Returns:
            Whether there is more to do.

        Raises:
            OSError: the explanations cannot be published; the next turn tries again.
        """
        ranking, checkpoint = self._ranking.version(), scorer.checkpoint
        if ranking is None or checkpoint is None or ranking.content.checkpoint != checkpoint.generation:
            return False  # the selector has not ranked by this checkpoint yet
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
            self._see(scorer, known, time.monotonic() + for_s, is_urgent)
            ready = {number: key for number, key in known.items() if key in self._seen}
            is_complete = len(ready) == len(known)
            if is_complete or (ready and time.monotonic() - self._published_s >= PUBLISH_EVERY_S):
                content = self._explanations(scorer, checkpoint, ready, is_urgent)
                generation = publish(self._run, EXPLANATIONS, content)
                self._published, self._published_s = (ranking, ready), time.monotonic()
                log.info("explanations %d: %d images", generation, len(ready))
            return not is_complete
        return True

    def _follow(self, scorer: Scorer, space: Projection) -> None:
        """Forget the feature maps if the backbone or the space has changed."""
        if scorer.fingerprint != self._fingerprint:
            self._fingerprint, self._maps = scorer.fingerprint, FeatureMaps(scorer.backbone)
            self._space = None
        if self._space is None or not self._space.is_same(space):
            self._space = space
            self._seen.clear()

    def _see(self, scorer: Scorer, known: dict[int, int], until_s: float, is_urgent: Callable[[], bool]) -> None:
        """Compute feature maps of these images until the time is over, at least one if any is missing."""
        for number, key in known.items():
            if key in self._seen:
                self._seen.move_to_end(key)
                continue
            self._seen[key] = self._feature_map(scorer, number, is_urgent)
            if len(self._seen) > KEPT:
                self._seen.popitem(last=False)
            if time.monotonic() > until_s:
                return

    def _feature_map(self, scorer: Scorer, number: int, is_urgent: Callable[[], bool]) -> Seen:
        file, inside = scorer.file(number)
        try:
            image, box = load_with_box(file, scorer.backbone.preprocessing, inside)
        except (OSError, UnreadableError) as error:
            log.debug("%r cannot be explained: %s", file, error)
            return None
        features = self._maps.feature_map(image, is_urgent)
        if features is None or self._space is None:
            return None
        return ProjectedFeatureMap.from_features(features, self._space), box

    def _is_learning(self) -> bool:
        """Whether the trainer is learning an answer: it needs the processor, and its head outdates explanations."""
        answered, learnt = signature(self._run / ANNOTATIONS.name), signature(self._run / PREDICTOR)
        if answered is None or learnt is None or answered[1] < learnt[1]:
            return False
        return 0 <= time.time() - answered[1] / 1e9 < LEARNING_S

    def _explanations(
        self, scorer: Scorer, checkpoint: Checkpoint, ready: dict[int, int], is_urgent: Callable[[], bool]
    ) -> Explanations:
        """The record for explanations.pickle. Raises SetAside."""
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
    """Use one core in the block and leave the others to the person who answers; more cores would not be faster."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _as_bytes(head: Head, seen: Seen) -> NDArray[np.int8]:
    """The map of an image, (h, w) int8, whose value furthest from 0 is +-`FULL`; of shape (0, 0) without a map."""
    if seen is None:
        return np.zeros((0, 0), np.int8)
    projected, box = seen
    shares = over_picture(activation_map(head, projected), box, LARGEST_MAP).nan_to_num(0.0)
    shares = shares / shares.abs().max().clamp(min=1e-12)
    rounded: NDArray[np.int8] = (shares * FULL).round().numpy().astype(np.int8)
    return rounded
