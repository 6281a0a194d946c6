"""Trainer: fits the head to the answers at once whenever they change, and writes predictor.ckpt."""

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from config import Config, UsageError
from IA.duplicates.deduplicated import Deduplicated
from IA.embedding.embedder import leave_room
from IA.embedding.shared import folder_cache
from IA.finetuning.checkpoint import LatestTuned, Tuned
from IA.finetuning.schedule import Tuner
from IA.images.decoding import remember_in
from IA.learning.learner import EXAMPLES_UNTIL, PoolSample
from IA.learning.projection import Projection
from IA.learning.report import Report
from IA.learning.training_set import TrainingSet
from IA.model import Predictor, load_head
from IA.networks import build
from IA.process.loop import loop_config, run_loop, take_turns, until_signalled
from IA.protocol.answers import WATCHED, LearnableAnswers
from IA.protocol.files import BACKBONE, DUPLICATES, FEATURES, HELD_OUT, IMAGES, PREDICTOR, SETTINGS
from IA.protocol.pickle_file import publish
from IA.protocol.records import Features, Settings
from IA.protocol.watching import Latest, changes

log = logging.getLogger(__name__)

EMBED_AT_ONCE = 64  # answers embedded in one turn: a resumed run has a model again soon
EMBED_BEHIND = 4  # for a backbone that is not in force yet: an answer does not wait for more


class Trainer:
    """Keeps predictor.ckpt up to date with the answers."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._run = config.run
        self._settings = Latest(config.run, SETTINGS)
        self._answers = LearnableAnswers(config.run)
        self._features = Latest(config.run, FEATURES)
        self._images = Latest(config.run, IMAGES)
        self._pool: tuple[Features | None, PoolSample[str] | None] = (None, None)
        self._held_out = Latest(config.run, HELD_OUT)
        self._duplicates = Latest(config.run, DUPLICATES)
        self._once: tuple[object, Deduplicated] = (None, Deduplicated({}))  # with its version of duplicates.pickle
        self._report = Report(config.run / "tensorboard" / "trainer")
        self._tuner = Tuner(config.run, config.datadir)
        self._latest_tuned = LatestTuned(config.run)
        self._network: str | None = None
        self._tuned: Tuned | None = None
        self._answered: dict[str, TrainingSet] = {}  # by fingerprint: of the network, and of what was tuned from it
        self._unknown = ""  # fingerprint of a backbone that was looked for in vain
        self._generation = _last_generation(config.run)
        self._learnt: object = None

    def step(self) -> bool:
        """Fit once; does nothing before there are answers of both kinds, or if nothing has changed.

        Returns:
            Whether answers are still to be embedded.
        """
        inputs = [latest.version() for latest in (self._settings, self._answers, self._features, self._duplicates)]
        settings, annotations, features = (
            self._settings.content(),
            self._answers.content(),
            self._features.content(),
        )
        if settings is None:
            return False
        datadir = self._config.datadir or Path(settings.datadir)
        self._follow_network(settings.network, datadir)  # before it is needed: it takes seconds
        self._follow_tuned()
        if annotations is None or features is None:
            return False
        labels = {path: label for path, label in annotations.items() if label is not None}
        answered = self._in_force(features.backbone, annotations)
        if answered is None:
            return False
        if inputs == self._learnt:
            return self._embed_behind(datadir, labels, settings.bounds(datadir))
        self._drop_replaced(answered)
        once = self._follow_duplicates(settings)
        waiting = answered.embed(datadir, once.learnt(labels), EMBED_AT_ONCE, settings.bounds(datadir))
        known = {path: label for path, label in once.learnt(labels).items() if path in answered}
        are_learnt = bool(known) and sum(known.values()) < EXAMPLES_UNTIL
        waiting |= answered.take_examples(settings.examples if are_learnt else "")
        self._fit(answered, settings, features, known, annotations, once)
        self._learnt = None if waiting else inputs
        self._tuner.consider(settings, self._base, known)
        return waiting or len(self._answered) > 1

    def close(self) -> None:
        """End the event file, and a fine-tuning that is under way."""
        self._tuner.close()
        self._report.close()

    # --- the networks -------------------------------------------------------------------------------------------------

    def _follow_network(self, network: str, datadir: Path) -> None:
        if network != self._network:
            answered = TrainingSet(self._run, network, place=folder_cache(self._run, datadir))
            self._base = answered.backbone.fingerprint
            self._answered = {self._base: answered}
            self._tuned = None
            self._network = network

    def _follow_tuned(self) -> None:
        """Get ready for a new fine-tuned backbone; it is in force once inference describes the pool by it."""
        tuned = self._latest_tuned.tuned_from(self._base)
        if tuned is not None and tuned is not self._tuned:
            self._tuned = tuned
            self._answered[tuned.backbone.fingerprint] = TrainingSet(
                self._run, tuned.backbone, tuned.learnt, tuned.labels
            )

    def _in_force(self, fingerprint: str, annotations: Mapping[str, bool | None]) -> TrainingSet | None:
        """What was learnt with the backbone that inference describes the pool by; None where that is unknown here.

        A fine-tuned one whose backbone.ckpt is gone or replaced still stands in predictor.ckpt. Which answers it was
        trained on is not known then: all there are.
        """
        if fingerprint not in self._answered and fingerprint != self._unknown:
            self._unknown = fingerprint
            try:
                checkpoint = load_head(self._run / PREDICTOR)
                if checkpoint.backbone == fingerprint and "fine_tuned_on" in checkpoint.metrics:
                    backbone = build(str(self._run / PREDICTOR))
                    self._answered[fingerprint] = TrainingSet(
                        self._run, backbone, frozenset(annotations), int(checkpoint.metrics["fine_tuned_on"])
                    )
            except (OSError, ValueError, UsageError) as error:
                log.warning("the backbone in force cannot be had: %s", error)
        return self._answered.get(fingerprint)

    def _embed_behind(self, datadir: Path, labels: Mapping[str, bool], inside: Path | None) -> bool:
        """Embed some answers by a backbone that is not in force yet; whether there are more."""
        newest = self._tuned.backbone.fingerprint if self._tuned else self._base
        return self._answered[newest].embed(datadir, labels, EMBED_BEHIND, inside)

    def _drop_replaced(self, present: TrainingSet) -> None:
        """Forget fine-tuned backbones that another one has replaced, and what was kept of them."""
        newest = self._tuned.backbone.fingerprint if self._tuned else self._base
        for fingerprint in set(self._answered) - {self._base, newest, present.backbone.fingerprint}:
            shutil.rmtree(self._answered.pop(fingerprint).directory, ignore_errors=True)

    # --- fitting ------------------------------------------------------------------------------------------------------

    def _follow_duplicates(self, settings: Settings) -> Deduplicated:
        version = self._duplicates.version(), settings
        if self._once[0] != version:
            self._once = version, Deduplicated.from_run(self._run, settings)
        return self._once[1]

    def _fit(
        self,
        answered: TrainingSet,
        settings: Settings,
        features: Features,
        labels: Mapping[str, bool],
        annotations: Mapping[str, bool | None],
        once: Deduplicated,
    ) -> None:
        """Learn, and publish what came of it.

        Args:
            answered: the images as the network in force sees them.
            settings: names of the answers.
            features: of the pool.
            labels: the answers to learn, near duplicates once.
            annotations: all answers, with those of their duplicates and skips.
            once: which these are.
        """
        began = time.perf_counter()
        learner = answered.learner
        learner.group_of = once.group_of
        groups = set(map(once.group_of, labels))
        pool = self._sample_of(features)
        if not learner.learn(labels, Projection.from_features(features), pool, annotations) or learner.head is None:
            return
        all_labels = {path: label for path, label in annotations.items() if label is not None}
        self._generation += 1
        predictor = Predictor(
            backbone=answered.backbone,
            head=learner.head,
            classes={"positive": settings.positive, "negative": settings.negative},
            threshold=learner.threshold,
            labels=len(labels) + sum(path not in labels and once.group_of(path) in groups for path in all_labels),
            metrics=learner.figures | ({"fine_tuned_on": answered.tuned_on} if answered.tuned_on else {}),
            generation=self._generation,
            tile=settings.tile,
        )
        try:
            predictor.save(self._run / PREDICTOR)
        except ValueError as error:
            log.warning("checkpoint %d is not published: %s", self._generation, error)
            return
        self._publish_held_out(once.spread(learner.held_out, all_labels))
        milliseconds = 1000 * (time.perf_counter() - began)
        told = ", ".join(f"{name} {value:.3f}" for name, value in learner.figures.items())
        log.info("checkpoint %d: %d answers, %s, %.0f ms", self._generation, len(labels), told, milliseconds)
        datadir = self._config.datadir or Path(settings.datadir)
        self._report.show(learner, labels, datadir, milliseconds, settings.bounds(datadir))

    def _sample_of(self, features: Features) -> PoolSample[str] | None:
        """The sample of the pool in features.pickle, by path; None while its paths are not known here."""
        images = self._images.content()
        if images is None:
            return None
        if self._pool[0] is not features:
            sampled = np.asarray(features.sampled)
            if not len(sampled) or sampled.max() >= len(images):
                return None
            vectors = torch.from_numpy(np.array(features.sample)).view(len(sampled), -1)
            self._pool = features, PoolSample([images[number] for number in sampled], vectors, features.images)
        return self._pool[1]

    def _publish_held_out(self, held_out: Mapping[str, float]) -> None:
        """Publish what heads that had not learnt an answer say of it, if that has changed."""
        if held_out == (self._held_out.content() or {}):
            return
        try:
            publish(self._run, HELD_OUT, dict(held_out))
        except OSError as error:
            log.warning("%s could not be published (%s); trying again with the next answer", HELD_OUT.name, error)


def _last_generation(run: Path) -> int:
    try:
        return load_head(run / PREDICTOR).generation
    except (OSError, ValueError):
        return 0


def main() -> None:
    """Train until signalled."""
    config = loop_config()
    leave_room(1)
    with until_signalled("trainer", config.run, PREDICTOR, HELD_OUT.name) as stop:
        remember_in(config.run / "cache" / "trainer")
        trainer = Trainer(config)
        watched = (SETTINGS.name, *WATCHED, FEATURES.name, DUPLICATES.name, BACKBONE)
        take_turns(changes(config.run, *watched, stop=stop, stays=False), trainer.step, stop)
        trainer.close()


if __name__ == "__main__":
    run_loop(main)
