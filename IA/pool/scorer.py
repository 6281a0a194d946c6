"""The pool by one backbone: every image embedded once, scored anew by each checkpoint, and published."""

import itertools
import logging
import math
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from IA.embedding.cache import key
from IA.embedding.embedder import Batch, Embedder
from IA.embedding.examples import Examples
from IA.embedding.order import EmbeddingOrder
from IA.images.tiles import grid_of, photo_of
from IA.learning.events import Events
from IA.learning.learner import POOL_SAMPLE
from IA.learning.projection import Projection
from IA.model import Checkpoint, load_head
from IA.networks import Backbone
from IA.pool.pool import Pool
from IA.process.lookahead import Lookahead
from IA.protocol.answers import LearnableAnswers
from IA.protocol.fields import NO_FLOATS
from IA.protocol.files import ANNOTATIONS, FEATURES, PREDICTIONS, PREDICTOR
from IA.protocol.pickle_file import Version, publish, read
from IA.protocol.records import Predictions
from IA.protocol.watching import signature

log = logging.getLogger(__name__)

TURN_S = 0.5  # what was embedded is taken for that long, unless something new is to be learnt
NEWS_EVERY_S = 0.02  # it is looked for while no batch is ready
BATCHES_AHEAD = 2  # embedded while this scores and publishes
LOOK_EVERY_S = 0.1  # for what another run embeds
PUBLISH_EVERY_S = 1.5  # while it embeds
FIRST_FEATURES = 64  # images embedded before the pool is first described
FEATURES_SAMPLE = 20_000
PROMISING = 32  # likeliest images, beside which it embeds first
SEED = 0


class Scorer:
    """What is done with one backbone: with another one everything begins anew."""

    def __init__(self, run: Path, backbone: Backbone, events: Events, place: Path | None = None) -> None:
        """Begin with what is embedded already.

        Args:
            run: the run directory.
            backbone: the network.
            events: of the loop.
            place: what runs over one folder share, as of `folder_cache`; None: what this backbone sees is this run's.
        """
        self._run = run
        self._events = events
        self._embedder = Embedder(backbone)
        self._directory = self._embedder.cache_of(run, "inference")
        self._cache = self._embedder.shared_cache(run, "inference", place)
        self._pool = Pool(self._cache)
        self._annotations = LearnableAnswers(run)
        self._datadir = Path()
        self._inside: Path | None = None
        self._images = Version[list[str]](0, [])
        self._tiles = 1  # of each photo, one after the other
        self._numbers: dict[str, int] = {}
        self._answered: object = None  # the version of the answers that novelty knows
        self._heard: object = None  # the newest version of them
        self._labels = 0
        self._waiting: tuple[int, float] | None = None  # answers to learn, and when they were published
        self._checkpoint: Checkpoint | None = None
        self._checkpoint_seen: object = None
        self._score_anew = False  # by a new checkpoint
        self._described = 0
        self._order = EmbeddingOrder(np.zeros(0, np.int64), SEED)
        self._asked: list[int] = []  # in that order, so far
        self._stream: Lookahead[Batch] | None = None
        self._gives_way = False
        self._warned: set[int] = set()  # of unreadable photos, by the keys of their files
        self._bar = tqdm(disable=True)
        self._to_publish = self._urgent = True
        self._published_s = time.monotonic()
        self._examples: Examples | None = None
        self._awaits_examples = False  # until then no order is as it should be
        self._resume()

    @property
    def fingerprint(self) -> str:
        """Of the backbone."""
        return self._embedder.fingerprint

    @property
    def is_described(self) -> bool:
        """Whether the trainer has been told of the pool as this backbone sees it."""
        return self._described > 0

    @property
    def is_trained(self) -> bool:
        """Whether there is a checkpoint of this backbone."""
        return self._checkpoint is not None

    @property
    def backbone(self) -> Backbone:
        """What it embeds by."""
        return self._embedder.backbone

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The one in force."""
        return self._checkpoint

    @property
    def pool(self) -> Pool:
        """Every image as this backbone sees it."""
        return self._pool

    def file(self, number: int) -> tuple[Path, Path | None]:
        """The file of an image, and the folder that it must lie in, if any."""
        return self._datadir / self._images.content[number], self._inside

    def answered(self) -> dict[bool, list[int]]:
        """Numbers of the images with a positive and with a negative answer that the model may know."""
        answers = self._annotations.content() or {}
        known = [(self._numbers[path], label) for path, label in answers.items() if path in self._numbers]
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
            has_news: whether something new is to be learnt, for which it ends: the next turn begins with that.
            describes: whether the trainer is to follow this backbone.
            inside: a folder that the files must lie in; None: anywhere.

        Returns:
            Whether there is more to embed.
        """
        self._follow_images(datadir, images, inside)
        self._follow_checkpoint()
        busy = self._is_to_embed()
        if describes and (space := self._describe(done=not busy)) is not None and self._checkpoint is None:
            self._pool.enter(space)
            self._answered = None
        self._score()
        self._follow_answers()
        self._publish(at_once=not busy)
        self._embed_for_a_while(has_news, gives_way=self._described > 0 and not self._awaits_examples)
        return busy

    def prepare(
        self, datadir: Path, images: Version[list[str]], has_news: Callable[[], bool], inside: Path | None = None
    ) -> bool:
        """One turn behind another backbone, which goes on ranking; returns whether there is more to embed."""
        self._follow_images(datadir, images, inside)
        self._follow_checkpoint()
        busy = self._is_to_embed()
        if not busy:
            self._describe(done=True)
        self._embed_for_a_while(has_news, gives_way=True)
        return busy

    def take_examples(self, folder: str) -> bool:
        """Embed some of the examples of what is looked for, for the order before the first checkpoint.

        Args:
            folder: of the pictures; "": there are none.

        Returns:
            Whether there are more to embed.
        """
        if not folder or self._checkpoint is not None:
            if self._examples is not None:
                self._compare_to_examples(None)
            self._awaits_examples = False
        elif self._examples is None or self._examples.folder != Path(folder):
            self._examples = Examples(self._run, "inference", self._embedder, Path(folder))
            self._awaits_examples = True
        if self._awaits_examples and self._examples is not None:
            self._awaits_examples = self._examples.step()
            if not self._awaits_examples:
                self._compare_to_examples(self._examples)
        return self._awaits_examples

    def most_similar(self, number: int, count: int) -> list[tuple[int, float]]:
        """The images most like one of them whose answer the model does not know, the likest first, with the cosine."""
        answers = self._annotations.content() or {}
        known = [self._numbers[path] for path in answers if path in self._numbers]
        return self._pool.most_similar(number, known, count)

    def _compare_to_examples(self, examples: Examples | None) -> None:
        self._examples = examples
        self._pool.compare_to_examples(None if examples is None else examples.vectors)
        self._to_publish = True

    def close(self) -> None:
        """Embed no more, until the next turn."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def delete(self) -> None:
        """The same, and delete the embeddings of a backbone that is not wanted any more."""
        self.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _follow_images(self, datadir: Path, images: Version[list[str]], inside: Path | None) -> None:
        self._inside = inside
        if images is not self._images:
            self._datadir, self._images = datadir, images
            self._numbers = {path: number for number, path in enumerate(images.content)}
            self._tiles = len(grid) if images.content and (grid := grid_of(images.content[0])) else 1
            self._pool.follow(datadir, images.content)
            self._answered = None
            self._to_publish = self._urgent = True

    def _resume(self) -> None:
        """Go on with the description of the pool that was published last, if it is of this network."""
        try:
            features = read(self._run, FEATURES).content
        except (OSError, ValueError):
            return
        if features.backbone == self._embedder.fingerprint and len(features.mean) == self._embedder.backbone.dimension:
            self._described = features.images if len(features.sampled) else 0  # earlier versions drew no sample
            self._pool.enter(Projection.from_features(features))

    # --- embedding ----------------------------------------------------------------------------------------------------

    def _is_to_embed(self) -> bool:
        """Whether anything is missing that no other run has embedded meanwhile."""
        self._take_from_others()
        return bool(len(self._pool.missing()))

    def _embed_for_a_while(self, has_news: Callable[[], bool], gives_way: bool) -> None:
        """Take batches from the stream until the turn is over or something new has come.

        They are embedded by other threads, which go on meanwhile and between the turns. A person waits for the first
        ones, so only those after them give way.
        """
        if len(self._pool.missing()) and not self._cache.lead():
            time.sleep(LOOK_EVERY_S)
            return
        images = 0
        began = time.perf_counter()
        while time.perf_counter() - began < TURN_S and not has_news():
            if self._stream is None and not self._begin_stream(gives_way):
                break
            if self._stream is None or not self._stream.is_ready(NEWS_EVERY_S):
                continue
            if (batch := self._stream.take()) is not None:
                self._keep(batch)
                images += len(batch.places)
                continue
            self.close()
            if not gives_way:  # the pool can be described now
                break
        if images:
            rate = images / (time.perf_counter() - began)
            self._events.scalar("embedding/images_per_s", rate, self._pool.embedded)

    def _take_from_others(self) -> None:
        """Take up what another run over the same folder has embedded meanwhile."""
        if self._cache.follow() and self._pool.find():
            self._cache.served()
            self._answered = None
            self._to_publish = True

    def _begin_stream(self, gives_way: bool) -> bool:
        """Ask for what is missing, or for the first of it if it does not give way; False if nothing is."""
        missing = self._pool.missing()
        self._order, self._asked = EmbeddingOrder(missing, SEED, self._tiles), []
        self._bar.close()
        self._bar = tqdm(
            total=len(missing), unit="image", desc="embedding", leave=False, mininterval=0.5, disable=not len(missing)
        )
        if not len(missing):
            self._cache.rest()
            return False
        if gives_way and not self._gives_way:
            self._embedder.give_way()
            self._gives_way = True
        files = self._files(None if gives_way else math.ceil(FIRST_FEATURES / self._tiles) * self._tiles)
        self._stream = Lookahead(self._embedder.embed(files, self._inside), BATCHES_AHEAD, gives_way)
        return True

    def _files(self, most: int | None) -> Iterator[Path]:
        """What to embed next; asked for while the images before are embedded, so a promise soon shows.

        Args:
            most: how many of them; None: all.
        """
        for number in itertools.islice(self._order, most):
            if self._pool.key(number) is not None:  # another run was faster
                self._bar.update()
                continue
            self._asked.append(number)
            yield self._datadir / self._images.content[number]

    def _keep(self, batch: Batch) -> None:
        self._pool.add(np.array([self._asked[place] for place in batch.places], np.int64), batch.vectors)
        for place, reason in batch.failed:
            number = self._asked[place]
            path = self._images.content[number]
            photo = photo_of(path)
            version = key(self._datadir, photo)
            if version is None:
                self._pool.lose(number)
                continue
            if version not in self._warned:  # its other tiles are unreadable for the same reason
                self._warned.add(version)
                log.warning("%r is unreadable. %s", photo, reason)
            self._pool.fail(number)
        self._bar.update(len(batch.places) + len(batch.failed))
        self._answered = None  # an answered image may be among them
        self._to_publish = True

    def _describe(self, done: bool) -> Projection | None:
        """Publish what the pool looks like when it is first known, has doubled, or is complete and rather larger."""
        embedded = self._pool.embedded
        if not embedded or embedded < max(0 if done else FIRST_FEATURES, self._growth(done) * self._described):
            return None
        space = self._pool.space(FEATURES_SAMPLE)
        sampled, vectors = self._pool.drawn(POOL_SAMPLE)
        publish(self._run, FEATURES, space.features(self._embedder.fingerprint, embedded, sampled, vectors))
        self._described = embedded
        log.info("described the pool by %d images: %d of %d values", embedded, *space.basis.T.shape)
        return space

    def _growth(self, done: bool) -> float:
        """How much larger the pool must be for a new description; a large sample says nearly the same again."""
        if self._described >= FEATURES_SAMPLE:
            return 1.5 if done else 8.0
        return 1.1 if done else 2.0

    # --- scoring ------------------------------------------------------------------------------------------------------

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
        self._score_anew = True

    def _score(self) -> None:
        """Score everything with a new head, and what is newly embedded with the one in force."""
        if self._checkpoint is None:
            return
        began = time.perf_counter()
        self._pool.enter(self._checkpoint.head.space)
        scored = self._pool.score(self._checkpoint.head, self._score_anew)
        if self._score_anew:
            if self._order.left:
                self._order.promise(self._pool.likeliest(PROMISING))
            milliseconds = 1000 * (time.perf_counter() - began)
            log.info("checkpoint %d: scored %d images, %.0f ms", self._checkpoint.generation, scored, milliseconds)
        self._to_publish |= scored > 0
        self._urgent |= self._score_anew
        self._score_anew = False

    def _follow_answers(self) -> None:
        """Bring novelty up to date with the answers; skipped images were looked at too."""
        version = self._annotations.version()
        if version is None or version is self._answered or not self._pool.is_projected:
            return
        numbers = {self._numbers[path]: label for path, label in version.content.items() if path in self._numbers}
        labels = [numbers[number] for number in self._pool.answer(numbers) if numbers[number] is not None]
        if (seen := signature(self._run / ANNOTATIONS.name)) is not None:
            self._waiting = (len(labels), seen[1] / 1e9)
        self._labels = len(labels) if len(set(labels)) == 1 else 0  # novelty does not tell two kinds apart
        self._answered = version
        if self._checkpoint is None:  # else the order waits for a head that has learnt them
            self._to_publish = True
            self._urgent |= version is not self._heard
        self._heard = version

    def _publish(self, at_once: bool) -> None:
        due = at_once or self._urgent or time.monotonic() - self._published_s >= PUBLISH_EVERY_S
        if not (self._to_publish and due and self._pool.is_projected) or self._awaits_examples:
            return
        similarity = None if self._checkpoint else self._pool.similarity
        content = Predictions(
            probability=self._pool.probability,
            novelty=self._pool.novelty,
            unreadable=self._pool.unreadable.astype(np.int32),
            embedded=self._pool.embedded,
            labels=self._checkpoint.labels if self._checkpoint else self._labels,
            checkpoint=_figures(self._checkpoint) if self._checkpoint else None,
            missing=len(self._pool.missing()),
            similarity=NO_FLOATS if similarity is None else similarity,
        )
        generation = publish(self._run, PREDICTIONS, content)
        self._to_publish = self._urgent = False
        self._published_s = time.monotonic()
        if self._checkpoint and self._waiting and self._checkpoint.labels >= self._waiting[0]:
            waited_s = time.time() - self._waiting[1]
            self._events.scalar("latency/answer_to_predictions_s", waited_s, self._checkpoint.labels)
            self._waiting = None
        log.info("predictions %d: %d of %d images embedded", generation, content.embedded, len(self._pool))


def _figures(checkpoint: Checkpoint) -> dict[str, Any]:
    """What the server, which never loads a checkpoint, is to know of it."""
    return {
        "generation": checkpoint.generation,
        "labels": checkpoint.labels,
        "threshold": checkpoint.threshold,
        "metrics": dict(checkpoint.metrics),
    }
