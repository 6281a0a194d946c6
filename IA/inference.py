"""Inference embeds every image once, scores all images for each new checkpoint, and explains those that come next."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

from config import Config
from IA.duplicates.finder import DuplicateFinder
from IA.embedding.shared import folder_cache
from IA.explanations.explainer import Explainer
from IA.images.decoding import remember_in, workers_give_way
from IA.layout.finder import LayoutFinder
from IA.learning.events import Events
from IA.pool.scorer import Scorer
from IA.pool.similar import LikeThis
from IA.process.loop import loop_config, run_loop, take_turns, until_signalled
from IA.process.priority import process_gives_way
from IA.protocol.answers import WATCHED
from IA.protocol.files import (
    BACKBONE,
    DUPLICATES,
    EXPLANATIONS,
    FEATURES,
    IMAGES,
    LAYOUT,
    NETWORKS,
    PREDICTIONS,
    PREDICTOR,
    RANKING,
    SCORES,
    SETTINGS,
    SIMILAR,
    WANTED,
)
from IA.protocol.watching import Latest, News, changes
from IA.succession.succession import Succession

log = logging.getLogger(__name__)

EXPLAIN_S = 0.2  # a turn explains images for so long; while images wait to be embedded, it explains one
DUPLICATES_S = 0.3  # a turn looks for near duplicates for so long
DUPLICATES_BUSY_S = 0.1  # a turn looks for near duplicates for so long while images wait to be embedded

URGENT = (
    SETTINGS.name,
    IMAGES.name,
    *WATCHED,
    PREDICTOR,
    WANTED.name,
    SCORES.name,
)  # a person waits for the outcome of these
WRITTEN = (
    PREDICTIONS.name,
    FEATURES.name,
    DUPLICATES.name,
    EXPLANATIONS.name,
    SIMILAR.name,
    LAYOUT.name,
    NETWORKS.name,
)


class Inference:
    """Keeps predictions.pickle up to date with the images, the answers and the newest checkpoint."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = Latest(config.run, SETTINGS)
        self._images = Latest(config.run, IMAGES)
        self._events = Events(config.run / "tensorboard" / "inference")
        self._duplicates: DuplicateFinder | None = None
        self._explainer = Explainer(config.run)
        self._like_this = LikeThis(config.run)
        self._layout = LayoutFinder(config.run)
        self._succession = Succession(config.run, self._events)

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
        scorer = self._succession.follow(settings, datadir)
        busy = scorer.take_prior(settings)
        busy |= scorer.turn(datadir, images, news.has_come, self._succession.describes, inside)
        embeds = busy
        busy |= self._like_this.turn(scorer)
        if settings.alike != "off":
            busy |= self._look_for_duplicates(scorer, datadir, images.content, inside, busy, news)
        busy |= self._explainer.turn(scorer, 0.0 if busy else EXPLAIN_S, news.has_come)
        busy |= self._layout.turn(scorer.pool, scorer.fingerprint, embeds, news.has_come)
        return self._succession.turn(settings, datadir, images, news.has_come, busy)

    def close(self) -> None:
        """Stop embedding and decoding, and end the event file."""
        if self._duplicates is not None:
            self._duplicates.close()
        self._layout.close()
        self._succession.close()
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


def main() -> None:
    """Embed and score until signalled."""
    config = loop_config()
    process_gives_way()
    workers_give_way()
    with until_signalled("inference", config.run, *WRITTEN) as stop:
        remember_in(config.run / "cache" / "inference")
        inference = Inference(config)
        watched = (SETTINGS.name, IMAGES.name, *WATCHED, PREDICTOR, BACKBONE, RANKING.name, WANTED.name, SCORES.name)
        take_turns(changes(config.run, *watched, stop=stop, stays=False), inference.step, stop)
        inference.close()


if __name__ == "__main__":
    run_loop(main)
