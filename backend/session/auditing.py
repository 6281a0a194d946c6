"""What the questions drawn at random tell, which share of the questions they are, and what the model may label."""

import logging
import threading
from typing import Any, cast

from backend.previews.ahead import Ahead
from backend.questions.audit import Audit
from backend.questions.finishing import UnreviewedImages
from backend.questions.first import First
from backend.questions.queue import Queue
from backend.session.changes import Changes
from backend.session.curves import figures
from backend.session.following import Following
from backend.session.near_duplicates import NearDuplicates
from backend.session.settings import CurrentSettings
from backend.store.labels import Labels
from backend.wire.figures import AuditFigures, WorkStatistics
from backend.wire.status import AskedFirst
from IA.protocol.pickle_file import Version
from IA.protocol.records import Predictions

log = logging.getLogger(__name__)

AUDIT_FROM = 100  # Before so many positive and negative answers none is drawn: the model needs all of the first ones.


class Auditing:
    """The figures of the audit and its share of the questions; every method may be called from any thread."""

    def __init__(
        self,
        settings: CurrentSettings,
        queue: Queue,
        first: First,
        labels: Labels,
        near_duplicates: NearDuplicates,
        following: Following,
        ahead: Ahead,
        changes: Changes,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._first = first
        self._labels = labels
        self._near_duplicates = near_duplicates
        self._following = following
        self._ahead = ahead
        self._changes = changes
        self._audit: tuple[int, Audit] | None = None  # the figures, and how often something had changed before
        self._unreviewed: tuple[Audit, Version[Predictions], UnreviewedImages] | None = None  # with its two sources
        self._counting = threading.Lock()  # One thread counts; the others wait and share its result.
        self.follow_share(self._answers)

    # --- figures ------------------------------------------------------------------------------------------------------

    def audit(self) -> Audit:
        """What the random answers tell by now; it is counted again after a change."""
        with self._counting:
            count = self._changes.count
            if self._audit is None or self._audit[0] != count:
                self._audit = count, Audit(self._queue.counted(), self._settings.now)
            return self._audit[1]

    def statistics(self, points: int) -> WorkStatistics:
        """How the work goes, with curves of at most `points` points, and all that the audit tells."""
        figures = self._labels.stored.statistics(points, self._near_duplicates.same)  # The store lies below the wire.
        return cast(WorkStatistics, {**figures, "audit": self._report()})

    def figures(self) -> tuple[int, dict[str, float]]:
        """For TensorBoard: how many answers there are, and what the audit tells."""
        return self._answers, figures(self._report())

    def unreviewed(self) -> UnreviewedImages | None:
        """The images without an answer as the model sees them now; None before it has learnt anything."""
        version, audit = self._following.predictions, self.audit()
        if version is None or version.content.checkpoint is None:
            return None
        known = self._unreviewed
        if known is None or known[0] is not audit or known[1] is not version:
            known = self._unreviewed = audit, version, UnreviewedImages(audit, version.content)
        return known[2]

    def asked_first(self) -> AskedFirst | None:
        """What is asked before all else, for the status; None where nothing is."""
        return self._first.report(self._settings.now, self.audit())

    def _report(self) -> AuditFigures:
        version = self._following.predictions
        asked = self._labels.asked_at_random(self._near_duplicates.same)
        return self.audit().whole(asked, version.content if version else None)

    # --- the share ----------------------------------------------------------------------------------------------------

    @property
    def _answers(self) -> int:
        counts = self._labels.counts()
        return counts["positive"] + counts["negative"]

    def follow_share(self, answers: int) -> None:
        """Have the queue draw the share that holds now; `answers`: how many are positive or negative."""
        settings = self._settings.now
        begins = answers >= AUDIT_FROM or settings.audit == 1
        self._queue.share = settings.audit if begins else 0.0

    def set_share(
        self, share: float, recall: float | None = None, confidence: float | None = None, until: int | None = None
    ) -> None:
        """Draw this share of the questions at random from now on.

        Args:
            share: 0 to 1. A share of 1 holds only for a while; then the share before holds again.
            recall: what the certificate promises; None: as before.
            confidence: how sure it is; None: as before.
            until: a share of 1 ends with this many random answers; None: it ends with the certificate.

        Raises:
            OSError: that cannot be stored.
        """
        now = self._settings.now
        before = now.audit if now.audit_after is None else now.audit_after
        self._set(
            audit=share,
            audit_after=before if share == 1 and before < 1 else None,
            audit_until=until if share == 1 else None,
            recall=now.recall if recall is None else recall,
            confidence=now.confidence if confidence is None else confidence,
        )
        if self._settings.now.audit_until is not None:
            self._first.forget()
        self.end_random()

    def end_random(self) -> None:
        """Draw the share before again, once that is there for which all questions are drawn."""
        after, until = self._settings.now.audit_after, self._settings.now.audit_until
        if (after is not None or until is not None) and self.audit().has_enough_sampled:
            self._set_share_before()
            if until is not None:
                self._first.end_random(until)

    def choose_first(self) -> None:
        """A person has chosen what is asked first: draw the share before again instead of random questions."""
        if self._settings.now.audit_until is not None:
            self._set_share_before()
        self._ahead.wake()
        self._changes.notify()

    def _set_share_before(self) -> None:
        now = self._settings.now
        share = now.audit if now.audit_after is None else now.audit_after
        log.info("of the questions %g are drawn at random again", share)
        try:
            self._set(audit=share, audit_after=None, audit_until=None)
        except OSError as error:
            log.warning("%s; it is asked again after a restart", error)

    def _set(self, **changed: Any) -> None:
        try:
            self._settings.change(**changed)
        finally:  # The settings hold in this process even where they could not be stored.
            self.follow_share(self._answers)
