"""Trainer: fits the head to the answers at once whenever they change, and writes predictor.ckpt."""

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from config import Config
from IA.embedder import Embedder, leave_room
from IA.embeddings import Embeddings, key
from IA.learner import Learner
from IA.loop import loop_config, run_loop, until_signalled
from IA.model import Predictor, load_head
from IA.protocol import ANNOTATIONS, FEATURES, PREDICTOR, SETTINGS, Features, Latest, Settings, changes
from IA.report import Report
from IA.space import Space

log = logging.getLogger(__name__)

EMBED_AT_ONCE = 64  # answers embedded in one turn: a resumed run has a model again soon


class Trainer:
    """Keeps predictor.ckpt up to date with the answers."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._run = config.run
        self._settings = Latest(config.run, SETTINGS)
        self._annotations = Latest(config.run, ANNOTATIONS)
        self._features = Latest(config.run, FEATURES)
        self._report = Report(config.run / "tensorboard" / "trainer")
        self._network: str | None = None
        self._generation = _last_generation(config.run)
        self._learnt: object = None

    def step(self) -> bool:
        """Fit once; does nothing before there are answers of both kinds, or if nothing has changed.

        Returns:
            Whether answers are still to be embedded.
        """
        inputs = [latest.version() for latest in (self._settings, self._annotations, self._features)]
        settings, annotations, features = (
            self._settings.content(),
            self._annotations.content(),
            self._features.content(),
        )
        if settings is None:
            return False
        self._follow_network(settings.network)  # before it is needed: it takes seconds
        if annotations is None or features is None:
            return False
        if features.backbone != self._embedder.fingerprint or inputs == self._learnt:
            return False
        datadir = self._config.datadir or Path(settings.datadir)
        labels = {path: label for path, label in annotations.items() if label is not None}
        waiting = self._embed(datadir, [path for path in labels if path not in self._rows and path not in self._lost])
        labels = {path: label for path, label in labels.items() if path in self._rows}
        self._fit(settings, features, labels)
        self._learnt = None if waiting else inputs
        return waiting

    def close(self) -> None:
        """End the event file."""
        self._report.close()

    # --- embedding the answered images --------------------------------------------------------------------------------

    def _follow_network(self, network: str) -> None:
        if network == self._network:
            return
        self._embedder = Embedder(network, cores=1, compiled=False)
        self._cache = Embeddings(self._embedder.cache_of(self._run, "trainer"), self._embedder.backbone.dimension)
        self._rows: dict[str, int] = {}
        self._lost: set[str] = set()  # answered, but the file is away or cannot be decoded
        self._learner = Learner(self._vectors)
        self._network = network

    def _embed(self, datadir: Path, paths: list[str]) -> bool:
        """Find or make the embeddings of these images; True if some are left for the next turn."""
        keys = {path: key(datadir, path) for path in paths}
        self._lost |= {path for path, known in keys.items() if known is None}
        paths = [path for path in paths if path not in self._lost]
        rows = self._cache.rows(np.array([keys[path] for path in paths], np.uint64))
        self._rows |= {path: int(row) for path, row in zip(paths, rows, strict=True) if row >= 0}
        missing = [path for path in paths if path not in self._rows]
        asked = missing[:EMBED_AT_ONCE]
        for batch in self._embedder.embed([datadir / path for path in asked]):
            found = [asked[place] for place in batch.places]
            first = len(self._cache)
            self._cache.append(np.array([keys[path] for path in found], np.uint64), batch.vectors)
            self._rows |= {path: first + place for place, path in enumerate(found)}
            self._lost |= {asked[place] for place, _ in batch.failed}
        return len(asked) < len(missing)

    # --- fitting ------------------------------------------------------------------------------------------------------

    def _fit(self, settings: Settings, features: Features, labels: Mapping[str, bool]) -> None:
        began = time.perf_counter()
        learner = self._learner
        if not learner.learn(labels, Space.from_features(features)) or learner.head is None:
            return
        self._generation += 1
        predictor = Predictor(
            backbone=self._embedder.backbone,
            head=learner.head,
            classes={"positive": settings.positive, "negative": settings.negative},
            threshold=learner.threshold,
            labels=len(labels),
            metrics=learner.figures,
            generation=self._generation,
        )
        predictor.save(self._run / PREDICTOR)
        milliseconds = 1000 * (time.perf_counter() - began)
        told = ", ".join(f"{name} {value:.3f}" for name, value in learner.figures.items())
        log.info("checkpoint %d: %d answers, %s, %.0f ms", self._generation, len(labels), told, milliseconds)
        self._report.show(learner, labels, self._config.datadir or Path(settings.datadir), milliseconds)

    def _vectors(self, paths: Sequence[str]) -> torch.Tensor:
        """Embeddings (n, D) of answered images."""
        return torch.from_numpy(self._cache.vectors(np.array([self._rows[path] for path in paths])))


def _last_generation(run: Path) -> int:
    try:
        return load_head(run / PREDICTOR).generation
    except (OSError, ValueError):
        return 0


def main() -> None:
    """Train until signalled."""
    config = loop_config()
    leave_room(1)
    with until_signalled("trainer", config.run, PREDICTOR) as stop:
        trainer = Trainer(config)
        for _ in changes(config.run, SETTINGS.name, ANNOTATIONS.name, FEATURES.name, stop=stop):
            while trainer.step() and not stop.is_set():
                pass
        trainer.close()


if __name__ == "__main__":
    run_loop(main)
