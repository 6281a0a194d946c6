"""Inference embeds every image once, scores all images for each new checkpoint, and explains those that come next."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from config import Config
from IA.duplicates.finder import DuplicateFinder
from IA.embedding.shared import folder_cache
from IA.explanations.explainer import Explainer
from IA.finetuning.checkpoint import LatestTuned
from IA.images.decoding import remember_in, workers_give_way
from IA.layout.finder import LayoutFinder
from IA.learning.events import Events
from IA.model import load_head
from IA.networks import build
from IA.pool.scorer import Scorer
from IA.pool.similar import LikeThis
from IA.process.loop import loop_config, run_loop, take_turns, until_signalled
from IA.process.priority import give_way, process_gives_way
from IA.protocol.answers import WATCHED
from IA.protocol.files import (
    BACKBONE,
    DUPLICATES,
    EXPLANATIONS,
    FEATURES,
    IMAGES,
    LAYOUT,
    PREDICTIONS,
    PREDICTOR,
    RANKING,
    SETTINGS,
    SIMILAR,
    WANTED,
)
from IA.protocol.watching import Latest, News, changes

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
EXPLAIN_S = 0.2  # a turn explains images for so long; while images wait to be embedded, it explains one
DUPLICATES_S = 0.3  # a turn looks for near duplicates for so long
DUPLICATES_BUSY_S = 0.1  # a turn looks for near duplicates for so long while images wait to be embedded

URGENT = (SETTINGS.name, IMAGES.name, *WATCHED, PREDICTOR, WANTED.name)  # a person waits for the outcome of these
WRITTEN = (PREDICTIONS.name, FEATURES.name, DUPLICATES.name, EXPLANATIONS.name, SIMILAR.name, LAYOUT.name)


class Inference:
    """Keeps predictions.pickle up to date with the images, the answers and the newest checkpoint."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = Latest(config.run, SETTINGS)
        self._images = Latest(config.run, IMAGES)
        self._events = Events(config.run / "tensorboard" / "inference")
        self._duplicates: DuplicateFinder | None = None
        self._tuned = LatestTuned(config.run)
        self._explainer = Explainer(config.run)
        self._like_this = LikeThis(config.run)
        self._layout = LayoutFinder(config.run)
        self._network: str | None = None
        self._base = ""  # the fingerprint of that network
        self._scorer: Scorer | None = None
        self._builder = ThreadPoolExecutor(1, "build", initializer=give_way)
        self._coming: Future[Scorer] | None = None  # the scorer of a fine-tuned backbone, whose compiling takes seconds
        self._behind: Scorer | None = None  # that scorer while it embeds, until it takes over

    def step(self) -> bool:
        """Take one turn: follow the inputs, embed for a while, publish changes, explain the images that come next.

        Returns:
            Whether there is more to embed or to explain.
        """
        news = News(self._config.run, *URGENT)
        settings, images = self._settings.content(), self._images.version()
        if settings is None or images is None:
            return False
        datadir = self._config.datadir or Path(settings.datadir)
        inside = settings.bounds(datadir)
        if self._scorer is None or self._network != settings.network:
            self._scorer = self._begin(settings.network, datadir)
        self._scorer = self._follow_tuned(self._scorer, datadir)
        describes = self._behind is None or not self._behind.is_described
        busy = self._scorer.take_examples(settings.examples)
        busy |= self._scorer.turn(datadir, images, news.has_come, describes, inside)
        embeds = busy
        self._like_this.turn(self._scorer)
        if settings.alike != "off":
            busy |= self._look_for_duplicates(self._scorer, datadir, images.content, inside, busy, news)
        busy |= self._explainer.turn(self._scorer, 0.0 if busy else EXPLAIN_S, news.has_come)
        busy |= self._layout.turn(self._scorer.pool, self._scorer.fingerprint, embeds, news.has_come)
        if self._behind is not None and not busy:
            busy = self._behind.prepare(datadir, images, news.has_come, inside) or self._behind.is_trained
        if self._coming is not None and not busy:
            wait([self._coming], LOOK_EVERY_S)
            busy = True
        return busy

    def close(self) -> None:
        """Stop embedding and decoding, and end the event file."""
        if self._duplicates is not None:
            self._duplicates.close()
        self._layout.close()
        for scorer in filter(None, (self._scorer, self._behind)):
            scorer.close()
        self._events.close()

    def _look_for_duplicates(
        self, scorer: Scorer, datadir: Path, paths: Sequence[str], inside: Path | None, embeds: bool, news: News
    ) -> bool:
        """Look for near duplicates for a while or until an input changes; returns whether there is more to do."""
        if self._duplicates is None:
            self._duplicates = DuplicateFinder(self._config.run, folder_cache(self._config.run, datadir))
        ends_s = time.monotonic() + (DUPLICATES_BUSY_S if embeds else DUPLICATES_S)

        def enough() -> bool:
            return time.monotonic() > ends_s or news.has_come()

        return self._duplicates.turn(scorer.pool, lambda number: datadir / paths[number], inside, embeds, enough)

    def _begin(self, network: str, datadir: Path) -> Scorer:
        """Start a scorer for the network, or for the backbone tuned from it if predictor.ckpt is of that backbone."""
        base = build(network)
        for scorer in filter(None, (self._scorer, self._behind)):
            scorer.close()
        self._network, self._base, self._behind, self._coming = network, base.fingerprint, None, None
        tuned = self._tuned.tuned_from(self._base)
        try:
            in_force = load_head(self._config.run / PREDICTOR).backbone
        except (OSError, ValueError):
            in_force = self._base
        is_tuned = tuned is not None and tuned.backbone.fingerprint == in_force
        if tuned is not None and is_tuned:
            return Scorer(self._config.run, tuned.backbone, self._events)
        return Scorer(self._config.run, base, self._events, folder_cache(self._config.run, datadir))

    def _follow_tuned(self, present: Scorer, datadir: Path) -> Scorer:
        """Prepare a new fine-tuned backbone behind the present one; returns the scorer that ranks from now on."""
        tuned = self._tuned.tuned_from(self._base)
        if tuned is None and present.fingerprint != self._base:
            log.warning("%s is gone; back to the network it came from", BACKBONE)
            return self._begin(str(self._network), datadir)
        if tuned is None:
            if self._behind is not None:
                self._behind.close()
            self._behind = self._coming = None
        if self._coming is not None and self._coming.done():
            done, self._coming = self._coming, None
            self._behind = done.result()
        if self._behind is not None and self._behind.is_trained:
            log.info("backbone %s replaces %s", self._behind.fingerprint, present.fingerprint)
            if present.fingerprint != self._base:  # embeddings by the network itself may be needed again
                present.delete()
            else:
                present.close()
            present, self._behind = self._behind, None
        known = {present.fingerprint, self._behind and self._behind.fingerprint}
        if self._coming is None and tuned is not None and tuned.backbone.fingerprint not in known:
            if self._behind is not None:
                self._behind.delete()
                self._behind = None
            self._coming = self._builder.submit(Scorer, self._config.run, tuned.backbone, self._events)
        return present


def main() -> None:
    """Embed and score until signalled."""
    config = loop_config()
    process_gives_way()
    workers_give_way()
    with until_signalled("inference", config.run, *WRITTEN) as stop:
        remember_in(config.run / "cache" / "inference")
        inference = Inference(config)
        watched = (SETTINGS.name, IMAGES.name, *WATCHED, PREDICTOR, BACKBONE, RANKING.name, WANTED.name)
        take_turns(changes(config.run, *watched, stop=stop, stays=False), inference.step, stop)
        inference.close()


if __name__ == "__main__":
    run_loop(main)
