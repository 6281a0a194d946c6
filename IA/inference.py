"""Inference: embeds every image once, and scores all of them again for each new checkpoint."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from config import Config
from IA.embedder import Batch, Embedder
from IA.embeddings import Embeddings, key
from IA.loop import loop_config, one_sentence, until_signalled
from IA.model import Checkpoint, load_head
from IA.pool import Numbers, Pool
from IA.protocol import (
    ANNOTATIONS,
    FEATURES,
    IMAGES,
    PREDICTIONS,
    PREDICTOR,
    SETTINGS,
    Features,
    Latest,
    Predictions,
    changes,
    publish,
    read,
    signature,
)

log = logging.getLogger(__name__)

TURN_S = 0.5  # embedding goes on for that long before the next look at answers and images
PUBLISH_EVERY_S = 1.5  # while it embeds
FIRST_FEATURES = 64  # images embedded before the pool is first described
FEATURES_SAMPLE = 20_000


class Inference:
    """Keeps predictions.pickle up to date with the images, the answers and the newest checkpoint."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._run = config.run
        self._settings = Latest(config.run, SETTINGS)
        self._images = Latest(config.run, IMAGES)
        self._annotations = Latest(config.run, ANNOTATIONS)
        self._writer = SummaryWriter(str(config.run / "tensorboard" / "inference"))
        self._network: str | None = None

    def step(self) -> bool:
        """One turn: follow the inputs, embed for a while, publish what has changed.

        Returns:
            Whether there is more to embed.
        """
        settings, images = self._settings.content(), self._images.version()
        if settings is None or images is None:
            return False
        self._follow_network(settings.network)
        if images is not self._listed:
            self._listed = images
            self._follow_images(self._config.datadir or Path(settings.datadir), images.content)
        self._follow_checkpoint()
        busy = self._embed_for_a_while()
        self._describe(done=not busy)
        self._score()
        self._follow_answers()
        self._publish(at_once=not busy)
        return busy

    def close(self) -> None:
        """End the progress bar and the event file."""
        if self._network is not None:
            self._bar.close()
        self._writer.close()

    # --- the inputs ---------------------------------------------------------------------------------------------------

    def _follow_network(self, network: str) -> None:
        """Begin anew with another network; its cache may know most images already."""
        if network == self._network:
            return
        self._embedder = Embedder(network)
        directory = self._embedder.cache_of(self._run, "inference")
        self._pool = Pool(Embeddings(directory, self._embedder.backbone.dimension))
        self._network = network
        self._listed: object = None
        self._answered: object = None
        self._checkpoint: Checkpoint | None = None
        self._checkpoint_seen: object = None
        self._score_anew = False
        self._described = 0
        self._labels = 0
        self._numbers: dict[str, int] = {}
        self._asked: Numbers = np.zeros(0, np.int64)
        self._stream: Iterator[Batch] = iter(())
        self._bar = tqdm(unit="image", desc="embedding", disable=True)
        self._published_s = time.monotonic()
        self._dirty = self._urgent = True
        self._resume()

    def _resume(self) -> None:
        """Go on with the description of the pool that was published last, if it is of this network."""
        try:
            features = read(self._run, FEATURES).content
        except (OSError, ValueError):
            return
        if features.backbone == self._embedder.fingerprint and len(features.mean) == self._embedder.backbone.dimension:
            self._described = features.images
            mean = torch.from_numpy(np.array(features.mean))
            self._pool.look_through(mean, torch.from_numpy(np.array(features.basis)).view(len(mean), -1))

    def _follow_images(self, datadir: Path, paths: list[str]) -> None:
        self._datadir, self._paths = datadir, paths
        self._numbers = {path: number for number, path in enumerate(paths)}
        self._pool.follow(datadir, paths)
        self._answered = None
        self._dirty = self._urgent = True

    def _follow_checkpoint(self) -> None:
        """Take up a new checkpoint."""
        seen = signature(self._run / PREDICTOR)
        if seen is not None and seen != self._checkpoint_seen:
            self._checkpoint_seen = seen
            self._score_anew |= self._take_checkpoint()

    def _take_checkpoint(self) -> bool:
        try:
            checkpoint = load_head(self._run / PREDICTOR)
        except FileNotFoundError:
            return False
        except (OSError, ValueError) as error:
            log.warning("%s; the last good checkpoint stays in force", error)
            return False
        if checkpoint.backbone != self._embedder.fingerprint:
            log.info("checkpoint %d belongs to another network; waiting for one of this", checkpoint.generation)
            return False
        self._checkpoint = checkpoint
        return True

    def _score(self) -> None:
        """Score everything with a new head, and what is newly embedded with the one in force."""
        if self._checkpoint is None:
            return
        began = time.perf_counter()
        self._pool.look_through(self._checkpoint.head.mean, self._checkpoint.head.basis)
        scored = self._pool.score(self._checkpoint.head, self._score_anew)
        if self._score_anew:
            milliseconds = 1000 * (time.perf_counter() - began)
            log.info("checkpoint %d: scored %d images, %.0f ms", self._checkpoint.generation, scored, milliseconds)
        self._dirty |= scored > 0
        self._urgent |= self._score_anew
        self._score_anew = False

    def _follow_answers(self) -> None:
        """Bring novelty up to date with the answers; skipped images were looked at too."""
        version = self._annotations.version()
        if version is None or version is self._answered or not self._pool.is_projected:
            return
        numbers = {self._numbers[path]: label for path, label in version.content.items() if path in self._numbers}
        known = self._pool.answer(numbers)
        labels = [numbers[number] for number in known if numbers[number] is not None]
        self._labels = len(labels) if len(set(labels)) == 1 else 0  # novelty knows no answers of two kinds apart
        self._answered = version
        self._dirty = True

    # --- embedding ----------------------------------------------------------------------------------------------------

    def _embed_for_a_while(self) -> bool:
        """Take batches from the stream until the turn is over or a checkpoint comes; True if more are to come."""
        images = 0
        began = time.perf_counter()
        while time.perf_counter() - began < TURN_S and signature(self._run / PREDICTOR) == self._checkpoint_seen:
            batch = next(self._stream, None)
            if batch is None and not self._begin_stream():
                break
            if batch is not None:
                self._keep(batch)
                images += len(batch.places)
        if images:
            rate = images / (time.perf_counter() - began)
            self._writer.add_scalar("embedding/images_per_s", rate, self._pool.embedded)
        return self._bar.n < (self._bar.total or 0)

    def _begin_stream(self) -> bool:
        """Ask for the embeddings of what is missing; False if nothing is."""
        self._asked = self._pool.missing()
        self._bar.close()
        self._bar = tqdm(
            total=len(self._asked), unit="image", desc="embedding", disable=not len(self._asked), leave=False, mininterval=0.5
        )
        self._stream = self._embedder.embed([self._datadir / self._paths[number] for number in self._asked])
        return bool(len(self._asked))

    def _keep(self, batch: Batch) -> None:
        numbers = self._asked[batch.places]
        self._pool.add(numbers, batch.vectors)
        for place, reason in batch.failed:
            number = int(self._asked[place])
            if key(self._datadir, self._paths[number]) is None:
                self._pool.lose(number)
            else:
                log.warning("%r is unreadable. %s", self._paths[number], reason)
                self._pool.fail(number)
        self._bar.update(len(batch.places) + len(batch.failed))
        self._answered = None  # an answered image may be among them
        self._dirty = True

    # --- the outputs --------------------------------------------------------------------------------------------------

    def _describe(self, done: bool) -> None:
        """Publish mean and basis of the pool when it is first known, has doubled, or is complete and rather larger."""
        embedded = self._pool.embedded
        if embedded < (1.1 * self._described if done else max(FIRST_FEATURES, 2 * self._described)) or not embedded:
            return
        mean, basis = self._pool.features(FEATURES_SAMPLE)
        self._described = embedded
        publish(
            self._run,
            FEATURES,
            Features(self._embedder.fingerprint, embedded, mean.numpy(), np.ascontiguousarray(basis.numpy()).ravel()),
        )
        log.info("described the pool by %d images: %d of %d values", embedded, basis.shape[1], len(mean))
        if self._checkpoint is None:
            self._pool.look_through(mean, basis)
            self._answered = None

    def _publish(self, at_once: bool) -> None:
        due = at_once or self._urgent or time.monotonic() - self._published_s >= PUBLISH_EVERY_S
        if not (self._dirty and due and self._pool.is_projected):
            return
        checkpoint = self._checkpoint
        content = Predictions(
            probability=self._pool.probability,
            novelty=self._pool.novelty,
            unreadable=self._pool.unreadable.astype(np.int32),
            embedded=self._pool.embedded,
            labels=checkpoint.labels if checkpoint else self._labels,
            checkpoint=checkpoint and _figures(checkpoint),
        )
        generation = publish(self._run, PREDICTIONS, content)
        self._published_s = time.monotonic()
        self._dirty = self._urgent = False
        log.info("predictions %d: %d of %d images embedded", generation, content.embedded, len(self._pool))


def _figures(checkpoint: Checkpoint) -> dict[str, object]:
    """What the server, which never loads a checkpoint, is to know of it."""
    return {
        "generation": checkpoint.generation,
        "labels": checkpoint.labels,
        "threshold": checkpoint.threshold,
        "metrics": dict(checkpoint.metrics),
    }


def main() -> None:
    """Embed and score until signalled."""
    config = loop_config()
    with until_signalled("inference", config.run, PREDICTIONS.name, FEATURES.name) as stop:
        inference = Inference(config)
        watched = (SETTINGS.name, IMAGES.name, ANNOTATIONS.name, PREDICTOR)
        for _ in changes(config.run, *watched, stop=stop):
            while inference.step() and not stop.is_set():
                pass
        inference.close()


if __name__ == "__main__":
    one_sentence(main)
