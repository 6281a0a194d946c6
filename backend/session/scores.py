"""The scores that a person has brought along: a thread reads them once the images are listed, and for new images."""

import logging
import threading
import time
from pathlib import Path

from backend.images.images import Images
from backend.images.names import displayed
from backend.imports.scores import check_scores, read_scores
from backend.session.changes import Changes
from backend.session.settings import CurrentSettings
from config import Config
from IA.protocol import pickle_file
from IA.protocol.files import SCORES
from IA.protocol.records import Scores
from IA.text.given_files import NOTHING
from IA.text.words import counted

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1  # while images are listed, or wait for the next reading
AGAIN_S = 1.0  # after a failure to publish
END_S = 1.0  # The end waits so long for a reading, which publishes nothing after that.
REST = 10  # After a reading that took t seconds, new images wait REST * t for the next one.


def check_given_scores(config: Config) -> None:
    """Look at the file that this start names, before anything is changed. Raises UsageError."""
    if config.scores not in {None, "", NOTHING}:
        check_scores(Path(str(config.scores)))


class GivenScores:
    """Publishes scores.pickle; trouble with the person's file is one warning, and what was published stays.

    Attributes:
        sentence: what was read and how, for the person; "": there are no scores, or they have not been read yet.
        count: how many images have a score.
    """

    def __init__(self, run: Path, settings: CurrentSettings, images: Images, changes: Changes) -> None:
        """Begin with the scores that the run has; nothing is read yet."""
        self.sentence = ""
        self._run = run
        self._file = Path(settings.now.scores) if settings.now.scores else None
        self._images = images
        self._changes = changes
        self._published = self._kept() if self._file is not None else None
        self._read = -1  # how many images there were at the last reading
        self._lacks_images = True  # whether the file named images that were not there
        self._next_s = 0.0
        self._is_failing = False  # whether the last scores could not be published
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="scores", daemon=True)

    @property
    def count(self) -> int:
        """How many images have a score."""
        return 0 if self._published is None else len(self._published.images)

    def start(self) -> None:
        """Begin, if there is a file."""
        if self._file is not None:
            self._thread.start()

    def close(self) -> None:
        """End the thread; a reading that goes on matching for a moment publishes nothing any more."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def changed(self, image: int) -> None:
        """Read the scores again if this image is a new one."""
        if image >= self._read >= 0:
            self._wake.set()

    def write_again(self) -> None:
        """Write scores.pickle into the run directory, which was deleted. Raises OSError."""
        if self._published is not None:
            pickle_file.publish(self._run, SCORES, self._published)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            if self._is_due() and time.monotonic() >= self._next_s:
                began_s = time.monotonic()
                self._step()
                now_s = time.monotonic()
                self._next_s = now_s + (AGAIN_S if self._is_failing else REST * (now_s - began_s))
            self._wake.wait(LOOK_EVERY_S if self._read < 0 or self._is_due() else None)

    def _is_due(self) -> bool:
        """Whether there are images that the last reading did not know, and the file may have scores of them."""
        if self._read < 0:
            return self._images.published > 0 and not self._images.listing
        return self._lacks_images and self._images.published != self._read

    def _step(self) -> None:
        """Read the file and publish its scores."""
        file, images = self._file, self._images.published
        is_first = self._read < 0
        if file is None:
            return
        self._read = images
        try:
            found = read_scores(file, self._images, self._stop)
        except (OSError, ValueError) as error:
            self._lacks_images = False
            self._go_on_without(file, error)
            return
        if self._stop.is_set():
            return
        self._lacks_images = found.unknown > 0
        is_new = self._published is None or found.scores.pack() != self._published.pack()
        if is_new:
            self._published = found.scores
            self._publish()
        if (is_first or is_new) and not self._is_failing:
            sentence = found.sentence()
            log.log(logging.INFO if found.is_of_use else logging.WARNING, "%s", sentence)
            self.sentence = sentence
        self._changes.notify()

    def _publish(self) -> None:
        try:
            self.write_again()
        except OSError as error:
            if not self._is_failing:
                log.warning("scores.pickle could not be published (%s); trying again", error)
            self._published, self._read, self._is_failing = None, -1, True
        else:
            self._is_failing = False

    def _go_on_without(self, file: Path, error: OSError | ValueError) -> None:
        reason = (
            "is gone"
            if isinstance(error, FileNotFoundError)
            else f"cannot be read ({displayed(str(error)).rstrip('.')})"
        )
        kept = counted(self.count, "score that was", "scores that were")
        name = displayed(str(file))
        sentence = f"{name} {reason}; the run goes on with the {kept} read from it before."
        if not self.count:
            sentence = f"{name} {reason}; the run goes on without scores."
        log.warning("%s", sentence)
        self.sentence = sentence
        self._changes.notify()

    def _kept(self) -> Scores | None:
        try:
            return pickle_file.read(self._run, SCORES).content
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s; the scores are read again", error)
            return None
