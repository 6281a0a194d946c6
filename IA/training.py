"""The trainer fits the head to the answers at once whenever they change, and writes predictor.ckpt."""

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
from IA.protocol.files import BACKBONE, DUPLICATES, FEATURES, HELD_OUT, IMAGES, NETWORKS, PREDICTOR, SETTINGS
from IA.protocol.pickle_file import publish
from IA.protocol.records import Features, Settings
from IA.protocol.watching import Latest, changes
from IA.text.network_names import split_networks

log = logging.getLogger(__name__)

EMBED_AT_ONCE = 64  # one turn embeds this many answered images, so that a resumed run soon has a model again
EMBED_BEHIND = 4  # one turn embeds this many by a backbone that is not in force yet; an answer waits for no more


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
        self._deduplicated = Deduplicated({})
        self._deduplicated_from: object = None  # the duplicates.pickle and the settings behind it
        self._report = Report(config.run / "tensorboard" / "trainer")
        self._tuner = Tuner(config.run, config.datadir)
        self._latest_tuned = LatestTuned(config.run)
        self._networks = Latest(config.run, NETWORKS)
        self._second = ""  # the second network
        self._place: Path | None = None  # of the embeddings that runs share
        self._network: str | None = None
        self._tuned: Tuned | None = None
        self._training_sets: dict[str, TrainingSet] = {}  # one for each backbone, by its fingerprint
        self._unknown = ""  # fingerprint of the last backbone that could not be found
        self._generation = _last_generation(config.run)
        self._learnt: object = None

    def step(self) -> bool:
        """Fit once. This does nothing before there are answers of both kinds, or if nothing has changed.

        Returns:
            Whether there are answered images that still have no embedding.
        """
        inputs = [latest.version() for latest in (self._settings, self._answers, self._features, self._duplicates)]
        settings, annotations, features = self._settings.content(), self._answers.content(), self._features.content()
        if settings is None:
            return False
        datadir = self._config.datadir or Path(settings.datadir)
        self._follow_network(settings.network, datadir)  # this takes seconds, so it begins before anything needs it
        self._follow_tuned()
        if annotations is None or features is None:
            return False
        labels = {path: label for path, label in annotations.items() if label is not None}
        training_set = self._in_force(features.backbone, annotations)
        if training_set is None:
            return False
        if inputs == self._learnt:
            return self._embed_behind(datadir, labels, settings.bounds(datadir))
        self._drop_replaced(training_set)
        deduplicated = self._follow_duplicates(settings)
        waiting = training_set.embed(datadir, deduplicated.learnt(labels), EMBED_AT_ONCE, settings.bounds(datadir))
        known = {path: label for path, label in deduplicated.learnt(labels).items() if path in training_set}
        are_learnt = bool(known) and sum(known.values()) < EXAMPLES_UNTIL
        waiting |= training_set.take_examples(settings.examples if are_learnt else "")
        self._fit(training_set, settings, features, known, annotations, deduplicated)
        self._learnt = None if waiting else inputs
        if not self._second or self._is_decided(settings):
            self._tuner.consider(settings, self._base, known)
        return waiting or len(self._training_sets) > 1

    def close(self) -> None:
        """End the event file and a fine-tuning that is running."""
        self._tuner.close()
        self._report.close()

    # --- the networks -------------------------------------------------------------------------------------------------

    def _follow_network(self, network: str, datadir: Path) -> None:
        if network != self._network:
            first, self._second = split_networks(network)
            self._place = folder_cache(self._run, datadir)
            training_set = TrainingSet(self._run, first, place=self._place)
            self._base = training_set.backbone.fingerprint
            self._training_sets = {self._base: training_set}
            self._tuned = None
            self._network = network

    def _follow_tuned(self) -> None:
        """Load a new and better backbone. It comes into force when inference describes the pool by it."""
        tuned = self._latest_tuned.tuned_from(self._base, self._second)
        if tuned is not None and tuned is not self._tuned:
            self._tuned = tuned
            self._training_sets[tuned.backbone.fingerprint] = TrainingSet(
                self._run, tuned.backbone, tuned.learnt, tuned.tuned_on, None if tuned.learnt else self._place
            )

    def _is_decided(self, settings: Settings) -> bool:
        """Whether it is known which network is the better one, so that a fine-tuning begins with that one."""
        networks = self._networks.content()
        return networks is not None and networks.asked == settings.network and networks.is_decided

    def _in_force(self, fingerprint: str, annotations: Mapping[str, bool | None]) -> TrainingSet | None:
        """The training set of the backbone that inference describes the pool by; None if this backbone is unknown here.

        If backbone.ckpt is gone or replaced, its backbone still stands in predictor.ckpt. Nobody knows then which
        answers it was trained on, so all answers count as such.
        """
        if fingerprint not in self._training_sets and fingerprint != self._unknown:
            self._unknown = fingerprint
            try:
                checkpoint = load_head(self._run / PREDICTOR)
                if checkpoint.backbone == fingerprint and "fine_tuned_on" in checkpoint.metrics:
                    backbone = build(str(self._run / PREDICTOR))
                    self._training_sets[fingerprint] = TrainingSet(
                        self._run, backbone, frozenset(annotations), int(checkpoint.metrics["fine_tuned_on"])
                    )
            except (OSError, ValueError, UsageError) as error:
                log.warning("the backbone in force cannot be loaded: %s", error)
        return self._training_sets.get(fingerprint)

    def _embed_behind(self, datadir: Path, labels: Mapping[str, bool], inside: Path | None) -> bool:
        """Embed some answered images by a backbone that is not in force yet; returns whether there are more."""
        newest = self._tuned.backbone.fingerprint if self._tuned else self._base
        return self._training_sets[newest].embed(datadir, labels, EMBED_BEHIND, inside)

    def _drop_replaced(self, present: TrainingSet) -> None:
        """Forget fine-tuned backbones that another one has replaced, and delete their embeddings."""
        newest = self._tuned.backbone.fingerprint if self._tuned else self._base
        for fingerprint in set(self._training_sets) - {self._base, newest, present.backbone.fingerprint}:
            shutil.rmtree(self._training_sets.pop(fingerprint).directory, ignore_errors=True)

    # --- fitting ------------------------------------------------------------------------------------------------------

    def _follow_duplicates(self, settings: Settings) -> Deduplicated:
        version = self._duplicates.version(), settings
        if self._deduplicated_from != version:
            self._deduplicated_from, self._deduplicated = version, Deduplicated.from_run(self._run, settings)
        return self._deduplicated

    def _fit(
        self,
        training_set: TrainingSet,
        settings: Settings,
        features: Features,
        labels: Mapping[str, bool],
        annotations: Mapping[str, bool | None],
        deduplicated: Deduplicated,
    ) -> None:
        """Learn the answers, and publish the predictor.

        Args:
            training_set: the answered images as the network in force sees them.
            settings: the names of the answers.
            features: what inference says of the pool.
            labels: the answers to learn, one for each group of near duplicates.
            annotations: all answers, with skips and those of near duplicates.
            deduplicated: the groups of near duplicates.
        """
        began = time.perf_counter()
        learner = training_set.learner
        learner.group_of = deduplicated.group_of
        groups = set(map(deduplicated.group_of, labels))
        pool = self._sample_of(features)
        if not learner.learn(labels, Projection.from_features(features), pool, annotations) or learner.head is None:
            return
        all_labels = {path: label for path, label in annotations.items() if label is not None}
        self._generation += 1
        predictor = Predictor(
            backbone=training_set.backbone,
            head=learner.head,
            classes={"positive": settings.positive, "negative": settings.negative},
            threshold=learner.threshold,
            labels=len(labels)
            + sum(path not in labels and deduplicated.group_of(path) in groups for path in all_labels),
            metrics=learner.figures | ({"fine_tuned_on": training_set.tuned_on} if training_set.tuned_on else {}),
            generation=self._generation,
            tile=settings.tile,
        )
        try:
            predictor.save(self._run / PREDICTOR)
        except ValueError as error:
            log.warning("checkpoint %d is not published: %s", self._generation, error)
            return
        self._publish_held_out(deduplicated.spread(learner.held_out, all_labels))
        milliseconds = 1000 * (time.perf_counter() - began)
        figures = ", ".join(f"{name} {value:.3f}" for name, value in learner.figures.items())
        log.info("checkpoint %d: %d answers, %s, %.0f ms", self._generation, len(labels), figures, milliseconds)
        datadir = self._config.datadir or Path(settings.datadir)
        self._report.show(learner, labels, datadir, milliseconds, settings.bounds(datadir))

    def _sample_of(self, features: Features) -> PoolSample[str] | None:
        """The sample of the pool in features.pickle, by path; None while images.pickle does not have its paths."""
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
        """Publish the held-out probability of each answer, if any has changed."""
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
