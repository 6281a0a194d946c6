"""One run that is being worked on: it makes the parts, starts and ends them, and lets them follow one another."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from backend.images.damage import Damage
from backend.images.images import Images
from backend.images.uploads import Uploads
from backend.map.folder_map import FolderMap
from backend.previews.previews import Previews
from backend.questions.explanations import ExplanationCache
from backend.questions.first import First
from backend.questions.queue import Queue
from backend.questions.similar import Likes
from backend.runs import question
from backend.runs.instructions import Instructions
from backend.runs.settings import settle
from backend.session.answering import Answering
from backend.session.auditing import Auditing
from backend.session.changes import Changes
from backend.session.curves import Curves
from backend.session.following import Following
from backend.session.loops import LoopStates
from backend.session.marking import Marking
from backend.session.moves import Moves
from backend.session.near_duplicates import NearDuplicates
from backend.session.scores import GivenScores
from backend.session.settings import CurrentSettings
from backend.session.showing import Showing
from backend.session.suspected_errors import SuspectedErrors
from backend.store.labels import Labels
from backend.store.listener import CurrentLabel, Listener
from backend.store.model_labels import ModelLabels
from config import Config, UsageError
from IA.images.tiles import Grid

log = logging.getLogger(__name__)


class Session(Listener):
    """The parts of a session. A route asks one part; a part knows the parts that it is given, and no session.

    Attributes:
        on_return: what else writes files of the run directory when that was gone and is there again.
    """

    def __init__(self, config: Config) -> None:
        """Make the parts; nothing runs yet but what stores answers. Raises UsageError."""
        if config.datadir is None:
            raise UsageError("No folder of images is named; give HOST PORT DATADIR.")
        self.config = config
        self.run = config.run
        self.on_return: list[Callable[[], None]] = []
        self._stop = threading.Event()
        self.changes = Changes()
        self.settings = CurrentSettings(self.run, settle(config), self.changes)
        settings = self.settings.now
        datadir = Path(settings.datadir)
        bounds = settings.bounds(datadir)

        self.queue = Queue()
        self.first = First(self.queue)
        self.labels = Labels(self.run, self)
        question.remember(self.labels.database, question.Names(settings.positive, settings.negative))
        self.model_labels = ModelLabels(self.labels.database, self.changes.notify)
        grid = Grid.from_text(settings.tile)
        self.images = Images(self.run, datadir, self._image_changed, config.follow_links, grid)
        self.moves = Moves(self.images, self.labels)
        self.scores = GivenScores(self.run, self.settings, self.images, self.changes)
        self.marking = Marking(self.queue, self.labels, self.images)

        self.previews = Previews(self.run / "cache" / "previews", bounds)
        self._damage = Damage(bounds)
        self.showing = Showing(
            self.images, self.previews, self._damage, self.queue, self.marking, self.moves, self.changes, config.ai
        )
        self.ahead = self.showing.ahead
        files = self.images.files
        self.uploads = Uploads(datadir, files, self.showing.damage_of) if config.allow_upload else None
        self.instructions = Instructions(self.run, config.instructions)

        self.near_duplicates = NearDuplicates(self.queue, self.labels, self.images, self.ahead, self.changes)
        self.explanations = ExplanationCache(self.images.version)
        self.likes = Likes(self.run)
        self.folder_map = FolderMap(self.queue, self.images, self.model_labels, self.changes.notify)
        self.loops = LoopStates(self.run, config.ai, self.changes, self._stop)
        self.following = Following(
            self.run,
            self.settings,
            self.queue,
            self.first,
            self.marking,
            self.near_duplicates,
            self.explanations,
            self.likes,
            self.folder_map,
            self.ahead,
            self.changes,
            self._stop,
        )
        self.auditing = Auditing(
            self.settings,
            self.queue,
            self.first,
            self.labels,
            self.near_duplicates,
            self.following,
            self.ahead,
            self.changes,
        )
        self.answering = Answering(self.labels, self.queue, self.images, self.following)
        self.suspected_errors = SuspectedErrors(self.labels, self.images, self.following, self.changes)
        self.on_return += [self.images.publish_again, self.instructions.write_again, self.settings.write_again]
        self.on_return.append(self.scores.write_again)
        self._curves: Curves | None = None

    # --- lifecycle ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """List the images and follow the other loops."""
        self.images.start()
        self.moves.start()
        self.scores.start()
        if self.uploads is not None:
            self.uploads.sweep()
        self.ahead.start()
        self.following.start()
        self.loops.start()
        if self.config.tensorboard:
            self._curves = Curves(self.run / "tensorboard" / "server", self.auditing.figures)

    @property
    def is_ending(self) -> bool:
        """Whether event streams are to end."""
        return self._stop.is_set()

    def end_streams(self) -> None:
        """Let the event streams end, and what waits for a decoder, so that the server can."""
        self._stop.set()
        self.previews.close()
        self._damage.close()
        self.changes.notify()

    def close(self) -> None:
        """Store and publish what is waiting; end threads and workers."""
        self.end_streams()
        self.images.close()
        self.moves.close()
        self.scores.close()
        self.ahead.close()
        self.model_labels.close()
        if self._curves is not None:
            self._curves.close()
        self.labels.close()

    # --- what the store tells (`Listener`) ----------------------------------------------------------------------------

    def labels_changed(self, changed: Sequence[CurrentLabel], answers: int) -> None:
        """Ask the next questions by what stands now."""
        self.auditing.follow_share(answers)
        for path, label, is_sampled in changed:
            image = self.images.number(path)
            if image is not None:
                self.marking.answered(image, label, is_sampled)
                self.moves.answered(image)
        self.ahead.wake()
        self.changes.notify()

    def splits_changed(self) -> None:
        """Divide the images anew."""
        self.near_duplicates.divide()

    def directory_returned(self) -> None:
        """Write what is known into the run directory again."""
        for write in self.on_return:
            try:
                write()
            except OSError as error:
                log.warning("%s could not be written again (%s)", self.run, error)
        self.changes.notify()

    def _image_changed(self, image: int) -> None:
        """An image came, went, or was written anew; the thread of `Images` says so."""
        self.marking.changed(image)
        self.moves.changed(image)
        self.scores.changed(image)
        self.ahead.wake()
        self.changes.notify()
