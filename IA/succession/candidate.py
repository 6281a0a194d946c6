"""The second network: read behind the ranking, and compared with the network in force as answers come."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import torch

from config import UsageError
from IA.duplicates.deduplicated import Deduplicated
from IA.finetuning.checkpoint import Tuned, only_writer
from IA.learning.events import Events
from IA.learning.promotion import OTHERS, NetworkView, Promotion, cross_fitted_promotion, is_due
from IA.pool.scorer import Scorer
from IA.process.background import in_background, is_done
from IA.protocol.files import BACKBONE
from IA.protocol.pickle_file import Version
from IA.protocol.records import Settings
from IA.succession.choices import second_backbone

log = logging.getLogger(__name__)

MOST_ANSWERS = 2000  # A comparison rests on this many answers at most, sampled at random.
SEED = 0


class Candidate:
    """The second network of a run, until it is better than the network in force.

    Attributes:
        name: of the network; "" until it is built.
        scorer: embeds by it; None until it is built.
    """

    def __init__(self, run: Path, second: str, place: Path | None, events: Events) -> None:
        """Begin with nothing; the first `turn` builds the network.

        Args:
            run: the run directory.
            second: the network, or AUTO.
            place: the folder of shared embeddings, see `folder_cache`.
            events: of the loop.
        """
        self.name = ""
        self.scorer: Scorer | None = None
        self._run = run
        self._second = second
        self._place = place
        self._events = events
        self._building: Future[tuple[str, Scorer]] | None = None
        self._comparing: Future[Promotion | None] | None = None
        self._compared = 0  # How many answers there were at the last comparison.
        self._outcome: Promotion | None = None
        self._why_none = ""

    @property
    def fingerprint(self) -> str:
        """Of the network; "" until it is built."""
        return "" if self.scorer is None else self.scorer.fingerprint

    @property
    def is_decided(self) -> bool:
        """Whether it was compared with the network in force, or cannot be had."""
        return bool(self._why_none) or self._outcome is not None

    @property
    def note(self) -> str:
        """What is to be said of it, beside how much it has read."""
        if self._outcome is None:
            return self._why_none
        figures = f"average precision {self._outcome.after:.3f}, {self._outcome.before:.3f} in force"
        verdict = "is better" if self._outcome.is_better else "is not better"
        return f"{self.name} {verdict} by {self._compared} answers ({figures})."

    def turn(
        self,
        present: Scorer,
        base: str,
        learnt: frozenset[str],
        settings: Settings,
        images: Version[list[str]],
        datadir: Path,
        has_news: Callable[[], bool],
    ) -> bool:
        """One turn: build the network, embed by it, and compare it with the one in force.

        Args:
            present: the scorer in force, which has nothing left to do.
            base: fingerprint of the first network.
            learnt: paths of the answers that the backbone in force has learnt itself.
            settings: of the run.
            images: paths in the image folder.
            datadir: the image folder.
            has_news: whether something new has come, for which the turn ends.

        Returns:
            Whether there is more to do without anything new.
        """
        if self.scorer is None:
            return self._build(base, has_news)
        if self._comparing is not None:
            return self._take_outcome(has_news)
        if self.scorer.prepare(datadir, images, has_news, settings.bounds(datadir), present.pool.keys, describes=False):
            return True
        answers = present.answers()
        if not is_due(sum(answers.values()), len(answers), self._compared):
            return False
        self._compare(present, base, learnt, settings, images.content, answers)
        return True

    def release(self) -> Scorer | None:
        """The scorer, for whoever goes on with it; this candidate is done."""
        scorer, self.scorer = self.scorer, None
        return scorer

    def close(self) -> None:
        """Embed no more."""
        if self.scorer is not None:
            self.scorer.close()

    # --- building -----------------------------------------------------------------------------------------------------

    def _build(self, base: str, has_news: Callable[[], bool]) -> bool:
        if self._why_none:
            return False
        if self._building is None:
            self._building = in_background(self._scorer_by_name, "second network")
        if not is_done(self._building, has_news):
            return True
        done, self._building = self._building, None
        try:
            self.name, scorer = done.result()
        except UsageError as error:
            self._why_none = str(error)
            log.warning("%s", error)
            return False
        if scorer.fingerprint == base:
            self._why_none = f"{self.name} is the first network again, so no other one comes behind it."
            return False
        self.scorer = scorer
        return True

    def _scorer_by_name(self) -> tuple[str, Scorer]:
        name, backbone = second_backbone(self._second)
        return name, Scorer(self._run, backbone, self._events, self._place)

    # --- comparing ----------------------------------------------------------------------------------------------------

    def _compare(
        self,
        present: Scorer,
        base: str,
        learnt: frozenset[str],
        settings: Settings,
        paths: Sequence[str],
        answers: dict[int, bool],
    ) -> None:
        """Begin to compare the two networks on the answers, in another thread."""
        scorer = self.scorer
        if scorer is None:
            return
        self._compared = len(answers)
        random = np.random.default_rng(SEED)
        deduplicated = Deduplicated.from_run(self._run, settings)
        number_of = {paths[number]: number for number in answers}
        labels = deduplicated.learnt({path: answers[number] for path, number in number_of.items()})
        numbers = np.array([number_of[path] for path in labels], np.int64)
        some = np.flatnonzero(present.pool.are_embedded(numbers) & scorer.pool.are_embedded(numbers))
        some = np.sort(random.permutation(some)[:MOST_ANSWERS])
        answered, known = numbers[some], [list(labels)[place] for place in some]
        every = np.arange(len(paths))
        others = every[present.pool.are_embedded(every) & scorer.pool.are_embedded(every)]
        others = random.permutation(others)[:OTHERS]
        old, new = (NetworkView(one.pool.vectors(answered), one.pool.vectors(others)) for one in (present, scorer))
        truth = torch.tensor([labels[path] for path in known], dtype=torch.bool)
        judges = torch.tensor([path not in learnt for path in known], dtype=torch.bool)
        groups = [deduplicated.group_of(path) for path in known]
        successor = Tuned(scorer.backbone, base, len(answers), frozenset(), self.name)

        def compare() -> Promotion | None:
            outcome = cross_fitted_promotion(old, new, truth, groups, judges, random)
            if outcome is None or not outcome.is_better:
                return outcome
            with only_writer(self._run) as held:
                if held:
                    successor.save(self._run / BACKBONE)
            return outcome if held else None

        self._comparing = in_background(compare, "comparison")

    def _take_outcome(self, has_news: Callable[[], bool]) -> bool:
        if self._comparing is None or not is_done(self._comparing, has_news):
            return True
        done, self._comparing = self._comparing, None
        try:
            outcome = done.result()
        except (OSError, ValueError) as error:
            log.warning("%s does not take over: %s", self.name, error)
            return False
        if outcome is not None:
            self._outcome = outcome
            log.info("%s %.0f %% of draws.", self.note.rstrip("."), 100 * outcome.certainty)
        return True
