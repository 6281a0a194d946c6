"""The scorer in force, and the better one that comes behind it."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from config import UsageError
from IA.embedding.shared import folder_cache
from IA.finetuning.checkpoint import LatestTuned, Tuned
from IA.learning.events import Events
from IA.model import load_head
from IA.networks import Backbone, build
from IA.pool.scorer import Scorer
from IA.process.background import in_background, is_done
from IA.protocol.files import BACKBONE, PREDICTOR
from IA.protocol.pickle_file import Version
from IA.protocol.records import Settings
from IA.succession.candidate import Candidate
from IA.succession.report import NetworkReport, Standing
from IA.text.network_names import split_networks

log = logging.getLogger(__name__)


class Succession:
    """Follows the network of the settings, and backbone.ckpt.

    A better backbone comes into force in three steps, wherever it comes from: its scorer embeds every image behind the
    ranking; then features.pickle describes the pool as it sees it, and the trainer fits a head on it; the first
    predictor.ckpt of this backbone makes its scorer the present one.
    """

    def __init__(self, run: Path, events: Events) -> None:
        self._run = run
        self._events = events
        self._latest = LatestTuned(run)
        self._report = NetworkReport(run)
        self._asked: str | None = None  # The setting `network`.
        self._second = ""  # The second network in it.
        self._base = ""  # The fingerprint of the first one.
        self._place: Path | None = None
        self._present: Scorer | None = None
        self._coming: Future[Scorer] | None = None  # The scorer of a better backbone, whose compiling takes seconds.
        self._behind: Scorer | None = None  # That scorer while it embeds, until it takes over.
        self._candidate: Candidate | None = None
        self._tuned: set[str] = (
            set()
        )  # Fingerprints of fine-tuned backbones, whose embeddings belong to this run alone.

    def follow(self, settings: Settings, datadir: Path) -> Scorer:
        """The scorer that ranks from now on."""
        if self._present is None or self._asked != settings.network:
            self._present = self._begin(settings.network, datadir)
        self._present = self._follow_better(self._present, datadir)
        return self._present

    @property
    def describes(self) -> bool:
        """Whether the trainer is to follow the present scorer, not yet the one behind it."""
        return self._behind is None or not self._behind.is_described

    def turn(
        self, settings: Settings, datadir: Path, images: Version[list[str]], has_news: Callable[[], bool], busy: bool
    ) -> bool:
        """One turn behind the present scorer, if that one has nothing left to do.

        Args:
            settings: of the run.
            datadir: the image folder.
            images: paths in it.
            has_news: whether something new has come, for which the turn ends.
            busy: whether the present scorer has more to do.

        Returns:
            Whether anything is left to do without anything new.
        """
        present = self._present
        if present is None:
            return busy
        if not busy and self._behind is not None:
            keys, inside = present.pool.keys, settings.bounds(datadir)
            busy = self._behind.prepare(datadir, images, has_news, inside, keys) or self._behind.is_trained
        elif not busy and self._candidate is not None:
            learnt = self._learnt_by(present)
            busy = self._candidate.turn(present, self._base, learnt, settings, images, datadir, has_news)
        if self._coming is not None and not busy:
            is_done(self._coming, has_news)
            busy = True
        self._report.publish(self._standing(present, settings))
        return busy

    def close(self) -> None:
        """Stop embedding."""
        for scorer in filter(None, (self._present, self._behind)):
            scorer.close()
        if self._candidate is not None:
            self._candidate.close()

    # --- within -------------------------------------------------------------------------------------------------------

    def _begin(self, networks: str, datadir: Path) -> Scorer:
        """Start a scorer for the first network, or for a better backbone if predictor.ckpt is of that one."""
        first, second = split_networks(networks)
        base = build(first)
        self.close()
        self._asked, self._second, self._base = networks, second, base.fingerprint
        self._behind = self._coming = self._candidate = None
        self._place = folder_cache(self._run, datadir)
        better = self._better()
        if second and (better is None or not better.second):
            self._candidate = Candidate(self._run, second, self._place, self._events)
        try:
            in_force = load_head(self._run / PREDICTOR).backbone
        except (OSError, ValueError):
            in_force = self._base
        if better is not None and better.backbone.fingerprint == in_force:
            return self._scorer(better)
        return Scorer(self._run, base, self._events, self._place)

    def _follow_better(self, present: Scorer, datadir: Path) -> Scorer:
        """Prepare a better backbone behind the present one; returns the scorer that ranks from now on."""
        better = self._better()
        if better is None and present.fingerprint != self._base:
            log.warning("%s is gone; back to the network it came from", BACKBONE)
            return self._begin(str(self._asked), datadir)
        if better is None:
            if self._behind is not None:
                self._behind.close()
            self._behind = self._coming = None
        if self._coming is not None and self._coming.done():
            done, self._coming = self._coming, None
            self._behind = done.result()
        if self._behind is not None and self._behind.is_trained:
            present, self._behind = self._take_over(present, self._behind), None
        known = {present.fingerprint, self._behind and self._behind.fingerprint}
        if self._coming is None and better is not None and better.backbone.fingerprint not in known:
            if self._behind is not None:
                self._retire(self._behind)
            self._behind = self._candidate_as(better)
            if self._behind is None:
                self._coming = in_background(lambda: self._scorer(better), "better network")
        return present

    def _take_over(self, before: Scorer, after: Scorer) -> Scorer:
        """Let a scorer take the place of another one."""
        log.info("backbone %s replaces %s", after.fingerprint, before.fingerprint)
        after.follow_from(before)
        self._retire(before)
        return after

    def _retire(self, scorer: Scorer) -> None:
        """Stop a scorer. Only embeddings by a fine-tuned backbone are deleted: no other one is ever needed again."""
        if scorer.fingerprint in self._tuned:
            scorer.delete()
        else:
            scorer.close()

    def _better(self) -> Tuned | None:
        """What is in backbone.ckpt, if it may come into force."""
        better = self._latest.tuned_from(self._base, self._second)
        if better is not None and better.learnt:
            self._tuned.add(better.backbone.fingerprint)
        return better

    def _learnt_by(self, scorer: Scorer) -> frozenset[str]:
        """Paths of the answers that the backbone of the scorer has learnt itself."""
        better = self._better()
        is_it = better is not None and better.backbone.fingerprint == scorer.fingerprint
        return better.learnt if better is not None and is_it else frozenset()

    def _candidate_as(self, better: Tuned) -> Scorer | None:
        """The scorer of the second network, if that is the better one."""
        if self._candidate is None or self._candidate.fingerprint != better.backbone.fingerprint:
            return None
        candidate, self._candidate = self._candidate, None
        return candidate.release()

    def _scorer(self, better: Tuned) -> Scorer:
        place = None if better.learnt else self._place
        return Scorer(self._run, _whole(better), self._events, place)

    def _standing(self, present: Scorer, settings: Settings) -> Standing:
        candidate = self._candidate
        return Standing(
            asked=settings.network,
            network=self._name(present),
            behind=self._behind or (candidate.scorer if candidate else None),
            name=self._name(self._behind) if self._behind else candidate.name if candidate else "",
            is_decided=candidate is None or candidate.is_decided,
            takes_over=self._behind is not None,
            note=candidate.note if candidate else "",
        )

    def _name(self, scorer: Scorer) -> str:
        return f"{scorer.backbone.name}{' (fine-tuned)' if scorer.fingerprint in self._tuned else ''}"


def _whole(better: Tuned) -> Backbone:
    """The backbone; the second network is built by its name if it can be, for what a checkpoint does not keep."""
    if better.second and not better.learnt:
        try:
            built = build(better.second)
        except UsageError as error:
            log.info("%s is taken from %s: %s", better.second, BACKBONE, error)
        else:
            if built.fingerprint == better.backbone.fingerprint:
                return built
    return better.backbone
