"""Inference: embeds every image once, and scores all of them again for each new checkpoint."""

import logging
import os
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from config import Config
from IA.loop import loop_config, run_loop, until_signalled
from IA.model import load_head
from IA.networks import build
from IA.protocol import (
    ANNOTATIONS,
    BACKBONE,
    FEATURES,
    IMAGES,
    PREDICTIONS,
    PREDICTOR,
    SETTINGS,
    Latest,
    changes,
)
from IA.scorer import Scorer
from IA.tuned import LatestTuned

log = logging.getLogger(__name__)

NICE = 10  # embedding takes every core, yet the page comes first


class Inference:
    """Keeps predictions.pickle up to date with the images, the answers and the newest checkpoint."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._settings = Latest(config.run, SETTINGS)
        self._images = Latest(config.run, IMAGES)
        self._writer = SummaryWriter(str(config.run / "tensorboard" / "inference"))
        self._tuned = LatestTuned(config.run)
        self._network: str | None = None
        self._base = ""  # fingerprint of that network
        self._scorer: Scorer | None = None
        self._behind: Scorer | None = None  # of a fine-tuned backbone, until it can take over

    def step(self) -> bool:
        """One turn: follow the inputs, embed for a while, publish what has changed.

        Returns:
            Whether there is more to embed.
        """
        settings, images = self._settings.content(), self._images.version()
        if settings is None or images is None:
            return False
        datadir = self._config.datadir or Path(settings.datadir)
        if self._scorer is None or self._network != settings.network:
            self._scorer = self._begin(settings.network)
        self._follow_tuned(self._scorer)
        if self._behind is not None and self._behind.is_trained:
            self._replace(self._scorer, self._behind)
            self._scorer, self._behind = self._behind, None
        busy = self._scorer.turn(datadir, images, describes=self._behind is None or not self._behind.is_described)
        if self._behind is not None and not busy:
            busy = self._behind.prepare(datadir, images) or self._behind.is_trained
        return busy

    def close(self) -> None:
        """Write out the event file."""
        self._writer.close()

    def _begin(self, network: str) -> Scorer:
        """With the network, or at once with the backbone tuned from it, if the checkpoint in place is of that."""
        base = build(network)
        self._network, self._base, self._behind = network, base.fingerprint, None
        tuned = self._tuned.of(self._base)
        try:
            in_force = load_head(self._config.run / PREDICTOR).backbone
        except (OSError, ValueError):
            in_force = self._base
        is_tuned = tuned is not None and tuned.backbone.fingerprint == in_force
        return Scorer(self._config.run, tuned.backbone if tuned and is_tuned else base, self._writer)

    def _follow_tuned(self, work: Scorer) -> None:
        """Begin to embed behind the ranking when there is a new fine-tuned backbone."""
        tuned = self._tuned.of(self._base)
        if tuned is None or tuned.backbone.fingerprint in {work.fingerprint, self._behind and self._behind.fingerprint}:
            return
        if self._behind is not None:
            self._behind.delete()
        self._behind = Scorer(self._config.run, tuned.backbone, self._writer)

    def _replace(self, old: Scorer, new: Scorer) -> None:
        log.info("network %s replaces %s", new.fingerprint, old.fingerprint)
        if old.fingerprint != self._base:  # that of the network itself may be wanted again
            old.delete()


def main() -> None:
    """Embed and score until signalled."""
    config = loop_config()
    if hasattr(os, "nice"):
        os.nice(NICE)
    with until_signalled("inference", config.run, PREDICTIONS.name, FEATURES.name) as stop:
        inference = Inference(config)
        for _ in changes(config.run, SETTINGS.name, IMAGES.name, ANNOTATIONS.name, PREDICTOR, BACKBONE, stop=stop):
            while inference.step() and not stop.is_set():
                pass
        inference.close()


if __name__ == "__main__":
    run_loop(main)
