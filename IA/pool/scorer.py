"""The pool by one backbone: every image is embedded once, scored anew by each checkpoint, and published."""

import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.embedding.embedder import Embedder
from IA.learning.events import Events
from IA.model import Checkpoint, load_head
from IA.networks import Backbone
from IA.pool.description import PoolDescription
from IA.pool.pool import Pool
from IA.pool.prior import PoolPrior
from IA.pool.published import predictions_of
from IA.pool.spacing import PoolSpacing
from IA.pool.stream import EmbeddingStream
from IA.prior.reading import Reading
from IA.protocol.answers import LearnableAnswers
from IA.protocol.fields import NO_FLOATS
from IA.protocol.files import ANNOTATIONS, PREDICTIONS, PREDICTOR
from IA.protocol.pickle_file import Version, publish
from IA.protocol.records import Settings
from IA.protocol.watching import signature

log = logging.getLogger(__name__)

PUBLISH_EVERY_S = 1.5  # While images are being embedded, predictions are published this often.
PROMISING = 32  # What lies beside this many of the likeliest images is embedded first.


class Scorer:
    """Everything that rests on one backbone; for another backbone another scorer begins anew.

    Attributes:
        prior: what a person has said before any answer, as this backbone understands it.
    """

    def __init__(self, run: Path, backbone: Backbone, events: Events, place: Path | None = None) -> None:
        """Begin with the images that are embedded already.

        Args:
            run: the run directory.
            backbone: the network.
            events: of the loop.
            place: the folder of embeddings that runs over the same images share, see `folder_cache`; None: the
                embeddings of this backbone belong to this run alone.
        """
        self._run = run
        self._events = events
        self._embedder = Embedder(backbone)
        self._directory = self._embedder.cache_of(run, "inference")
        cache = self._embedder.shared_cache(run, "inference", place)
        self._pool = Pool(cache)
        self._stream = EmbeddingStream(self._pool, cache, self._embedder, events)
        self._description = PoolDescription(run, backbone)
        self._annotations = LearnableAnswers(run)
        self._images = Version[list[str]](0, [])
        self._numbers: dict[str, int] = {}
        self._answered: object = None  # The version of the answers that novelty knows.
        self._heard: object = None  # The newest version of the answers that was read.
        self._labels = 0
        self._waiting: tuple[int, float] | None = None  # How many answers are to be learnt, and when they came.
        self._checkpoint: Checkpoint | None = None
        self._checkpoint_seen: object = None
        self._score_anew = False  # Whether the checkpoint is new, so that every image must be scored.
        self._to_publish = self._urgent = True
        self._published_s = time.monotonic()
        self.prior = PoolPrior(run, self._embedder, self._pool)
        self._spacing = PoolSpacing(self._pool)
        self._said: object = self.prior.said()
        self._awaits_prior = False  # Nothing is published before what a person has said can count.
        if (space := self._description.resume()) is not None:
            self._pool.enter(space)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the backbone."""
        return self._embedder.fingerprint

    @property
    def is_described(self) -> bool:
        """Whether features.pickle describes the pool as this backbone sees it."""
        return self._description.is_published

    @property
    def is_trained(self) -> bool:
        """Whether there is a checkpoint of this backbone."""
        return self._checkpoint is not None

    @property
    def backbone(self) -> Backbone:
        """The network that embeds."""
        return self._embedder.backbone

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint in force."""
        return self._checkpoint

    @property
    def pool(self) -> Pool:
        """Every image as this backbone sees it."""
        return self._pool

    def file(self, number: int) -> tuple[Path, Path | None]:
        """The file of an image, and the folder that the file must lie in, if any."""
        return self._stream.file(number)

    def answers(self) -> dict[int, bool]:
        """The positive and negative answers that the model may know, by the number of the image, in their order."""
        answers = (self._annotations.content() or {}).items()
        return {self._numbers[path]: label for path, label in answers if label is not None and path in self._numbers}

    def answered(self) -> dict[bool, list[int]]:
        """Numbers of the images with a positive and with a negative answer that the model may know."""
        known = self.answers().items()
        return {kind: [number for number, label in known if label is kind] for kind in (True, False)}

    def turn(
        self,
        datadir: Path,
        images: Version[list[str]],
        has_news: Callable[[], bool],
        describes: bool = True,
        inside: Path | None = None,
    ) -> bool:
        """One turn: learn what is new and publish it, then embed.

        Args:
            datadir: the image folder.
            images: paths in it.
            has_news: whether something new is to be learnt; the turn ends for it, and the next turn learns it.
            describes: whether the trainer is to follow this backbone.
            inside: a folder that the files must lie in; None: anywhere.

        Returns:
            Whether there is more to embed.
        """
        busy = self._follow(datadir, images, inside)
        if describes:
            space = self._description.update(self._pool, is_complete=not busy)
            if space is not None and self._checkpoint is None:
                self._pool.enter(space)
                self._answered = None
        self._score()
        self._follow_answers()
        self._publish(at_once=not busy)
        self._stream.turn(has_news, gives_way=self.is_described and not self._awaits_prior)
        return busy

    def prepare(
        self,
        datadir: Path,
        images: Version[list[str]],
        has_news: Callable[[], bool],
        inside: Path | None = None,
        keys: NDArray[np.uint64] | None = None,
        describes: bool = True,
    ) -> bool:
        """One turn behind another backbone, which goes on ranking.

        Args:
            datadir: the image folder.
            images: paths in it.
            has_news: whether something new is to be learnt, for which the turn ends.
            inside: a folder that the files must lie in; None: anywhere.
            keys: of the images, as the pool of the other backbone has found them; None: they are found anew.
            describes: whether the trainer is to follow this backbone as soon as every image is embedded, after which it
                takes over.

        Returns:
            Whether there is more to embed.
        """
        busy = self._follow(datadir, images, inside, keys)
        if describes and not busy:
            self._description.update(self._pool, is_complete=True)
        self._stream.turn(has_news, gives_way=True)
        return busy

    def take_prior(self, settings: Settings) -> bool:
        """Take up what a person has said before any answer; returns whether the order still waits for it."""
        self._awaits_prior = self.prior.follow(settings, self._checkpoint is not None)
        if (said := self.prior.said()) != self._said:
            self._said = said
            self._to_publish = self._urgent = True
        return self._awaits_prior

    def follow_from(self, before: "Scorer") -> None:
        """Take the place of another scorer: its prior stays in force where this network reads no prompts."""
        self.prior.inherit(before.prior)

    def most_similar(self, number: int, count: int) -> list[tuple[int, float]]:
        """The images most similar to one of them, each with its cosine, the most similar first.

        Images whose answer the model knows are left out.
        """
        view = self._pool.view
        if view is None or self._pool.key(number) is None:
            return []
        return view.most_similar(number, self._known(), count)

    def fitting(self, prompt: str, count: int) -> tuple[list[tuple[int, float]], Reading]:
        """The images that fit a prompt best, without those whose answer the model knows; see `PoolPrior.fitting`."""
        return self.prior.fitting(prompt, self._known(), count)

    def close(self) -> None:
        """Embed no more until the next turn."""
        self._stream.close()

    def delete(self) -> None:
        """Embed no more, and delete the embeddings of this backbone."""
        self.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _known(self) -> NDArray[np.int64]:
        """Numbers (n,) of the images whose answer the model knows; a skip is an answer too."""
        answers = self._annotations.content() or {}
        return np.array([self._numbers[path] for path in answers if path in self._numbers], np.int64)

    # --- following the files ------------------------------------------------------------------------------------------

    def _follow(
        self,
        datadir: Path,
        images: Version[list[str]],
        inside: Path | None,
        keys: NDArray[np.uint64] | None = None,
    ) -> bool:
        """Take up new images, new embeddings and a new checkpoint; returns whether there is more to embed."""
        self._stream.stay_inside(inside)
        if images is not self._images:
            self._images = images
            self._numbers = {path: number for number, path in enumerate(images.content)}
            self._stream.follow(datadir, images.content)
            if keys is None:
                self._pool.follow(datadir, images.content)
            else:
                self._pool.follow_keys(keys)
            self._answered = None
            self.prior.forget()
            self._to_publish = self._urgent = True
        self._follow_checkpoint()
        busy = self._stream.has_more()
        if self._stream.take_changed():
            self._answered = None  # an answered image may be among the new ones
            self.prior.forget()
            self._to_publish = True
        return busy

    def _follow_checkpoint(self) -> None:
        """Take up a new checkpoint; a bad one is one warning, and the one in force stays."""
        seen = signature(self._run / PREDICTOR)
        if seen is None or seen == self._checkpoint_seen:
            return
        self._checkpoint_seen = seen
        try:
            checkpoint = load_head(self._run / PREDICTOR)
        except (OSError, ValueError) as error:
            log.warning("%s; the last good checkpoint stays in force", error)
            return
        if checkpoint.backbone != self._embedder.fingerprint:
            log.debug("checkpoint %d is of another network; waiting for one of this", checkpoint.generation)
            return
        self._checkpoint = checkpoint
        self.prior.drop_examples()
        self._score_anew = True

    def _follow_answers(self) -> None:
        """Bring novelty up to date with the answers; a skipped image was looked at too."""
        version = self._annotations.version()
        if version is None or version is self._answered or self._pool.view is None:
            return
        numbers = {self._numbers[path]: label for path, label in version.content.items() if path in self._numbers}
        labels = [numbers[number] for number in self._pool.answer(numbers) if numbers[number] is not None]
        if (seen := signature(self._run / ANNOTATIONS.name)) is not None:
            self._waiting = (len(labels), seen[1] / 1e9)
        self._labels = len(labels) if len(set(labels)) == 1 else 0  # novelty does not tell two kinds apart
        self._answered = version
        if self._checkpoint is None:  # with a checkpoint, the order changes when a head has learnt the answers
            self._to_publish = True
            self._urgent |= version is not self._heard
        self._heard = version

    # --- scoring ------------------------------------------------------------------------------------------------------

    def _score(self) -> None:
        """Score every image with a new head, and newly embedded images with the head in force."""
        if self._checkpoint is None:
            return
        began = time.perf_counter()
        self._pool.enter(self._checkpoint.head.space)
        scored = self._pool.score(self._checkpoint.head, self._score_anew)
        if self._score_anew:
            self._stream.prefer(lambda: self._pool.likeliest(PROMISING))
            milliseconds = 1000 * (time.perf_counter() - began)
            log.info("checkpoint %d: scored %d images, %.0f ms", self._checkpoint.generation, scored, milliseconds)
        self._to_publish |= scored > 0
        self._urgent |= self._score_anew
        self._score_anew = False

    def _publish(self, at_once: bool) -> None:
        due = at_once or self._urgent or time.monotonic() - self._published_s >= PUBLISH_EVERY_S
        if not (self._to_publish and due and self._pool.view is not None) or self._awaits_prior:
            return
        spacing = NO_FLOATS if self._checkpoint else self._spacing.values()
        content = predictions_of(self._pool, self._checkpoint, self._labels, self.prior.values(), spacing)
        generation = publish(self._run, PREDICTIONS, content)
        self._to_publish = self._urgent = False
        self._published_s = time.monotonic()
        if self._checkpoint and self._waiting and self._checkpoint.labels >= self._waiting[0]:
            waited_s = time.time() - self._waiting[1]
            self._events.scalar("latency/answer_to_predictions_s", waited_s, self._checkpoint.labels)
            self._waiting = None
        log.info("predictions %d: %d of %d images embedded", generation, content.embedded, len(self._pool))
