"""Publishes annotations.pickle and audit.pickle, from which the loops read the answers, in a thread of its own."""

import io
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from backend.store.standing import CurrentLabels, joined
from IA.protocol import pickle_file
from IA.protocol.files import ANNOTATIONS, AUDIT
from IA.text.answer_words import FROM_TRUTH, Label

log = logging.getLogger(__name__)

AFTER_S = 0.05  # Answers that come closer together are published together.
AGAIN_S = 1.0  # The thread repeats a failed publication after so long.
REST = 4  # After a publication that took t seconds the thread waits REST * t, so that answers get most of the disk.


def published(run: Path, file: pickle_file.PickleFile[dict[str, bool | None]]) -> dict[str, Label] | None:
    """The labels in annotations.pickle or audit.pickle; None if the file is damaged or does not exist yet."""
    try:
        known = pickle_file.read(run, file).content
    except (OSError, ValueError):
        return None
    return {path: FROM_TRUTH[label] for path, label in known.items()}


class Publisher:
    """Publishes the two files soon after each change.

    No loop may ever see an answer in annotations.pickle that should be in audit.pickle and is not. So new entries of
    audit.pickle are published before annotations.pickle, and entries that an undo removes leave it only afterwards.
    """

    def __init__(self, run: Path, current: Callable[[], tuple[bytes, dict[str, bytes]]]) -> None:
        """Publish nothing yet.

        Args:
            run: the run directory.
            current: returns the content of annotations.pickle and the entries of audit.pickle at one moment. The
                publishing thread calls it.
        """
        self._run = run
        self._current = current
        self._sampled: dict[str, bytes] | None = None  # the entries in audit.pickle; None: not known
        self._is_due = threading.Event()
        self._is_gone = threading.Event()  # set when the published files may be gone
        self._is_failing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)

    def start(
        self, known: Mapping[str, Label] | None, labels: Mapping[str, Label], sampled: Mapping[str, Label]
    ) -> None:
        """Start the thread, and publish at once if the files do not hold these labels yet.

        Args:
            known: the labels in annotations.pickle.
            labels: all labels, in the order that counts.
            sampled: the labels that audit.pickle must hold.
        """
        known_sampled = published(self._run, AUDIT)
        if known_sampled is not None:
            self._sampled = CurrentLabels(known_sampled).entries
        if known is None or list(known.items()) != list(labels.items()) or known_sampled != sampled:
            self.publish_soon()
        self._thread.start()

    def publish_soon(self) -> None:
        """Note that something has changed; returns at once."""
        self._is_due.set()

    def publish_again(self) -> None:
        """Note that the files may be gone; returns at once."""
        self._is_gone.set()
        self.publish_soon()

    def close(self) -> None:
        """Publish all changes, and end the thread."""
        self._closing.set()
        self._is_due.set()
        self._thread.join()

    # --- the publishing thread ----------------------------------------------------------------------------------------

    def _publish(self) -> None:
        closing, resting_s = False, 0.0
        while not closing:
            self._is_due.wait()
            self._closing.wait(AFTER_S + resting_s)
            closing = self._closing.is_set()  # read before the last publication, which then holds everything
            began_s = time.monotonic()
            self._publish_once()
            resting_s = REST * (time.monotonic() - began_s) if self._is_due.is_set() else 0.0

    def _publish_once(self) -> None:
        self._is_due.clear()
        if self._is_gone.is_set():
            self._is_gone.clear()
            self._sampled = None
        labels, sampled = self._current()
        try:
            self._publish_sampled((self._sampled or {}) | sampled)
            pickle_file.publish_pickled(self._run, ANNOTATIONS.name, io.BytesIO(labels))
            self._publish_sampled(sampled)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                log.warning("annotations.pickle could not be published (%s); trying again", error)
            self._is_failing = True
            self._is_due.set()
            self._closing.wait(AGAIN_S)

    def _publish_sampled(self, sampled: dict[str, bytes]) -> None:
        if sampled != self._sampled:
            pickle_file.publish_pickled(self._run, AUDIT.name, io.BytesIO(joined(sampled)))
            self._sampled = sampled
