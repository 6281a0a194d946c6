"""Pictures for display, and what is noted of images that cannot be shown, or only in part."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from backend.images.damage import Damage
from backend.images.images import Images
from backend.previews.ahead import Ahead
from backend.previews.previews import Previews, limit_of, name_of
from backend.previews.rendering import Picture
from backend.questions.queue import Queue
from backend.session.changes import Changes
from backend.session.marking import Marking
from backend.session.moves import Moves
from IA.images.pictures import UnreadableError
from IA.images.tiles import photo_of

log = logging.getLogger(__name__)


class Showing:
    """Renders pictures and prepares the next ones; every method may be called from any thread.

    Attributes:
        ahead: prepares the pictures that will be asked for next.
    """

    def __init__(
        self,
        images: Images,
        previews: Previews,
        damage: Damage,
        queue: Queue,
        marking: Marking,
        moves: Moves,
        changes: Changes,
        inference_warns: bool,
    ) -> None:
        """Be ready to render.

        Args:
            images: their files.
            previews: where pictures are rendered and kept.
            damage: decodes a file in a process of its own.
            queue: says what is asked next.
            marking: takes note of an image that cannot be shown.
        marking: takes note of an image that cannot be shown.
            moves: reads what is shown, so that it is known again when it moves.
            changes: to be notified of an image that cannot be shown.
            inference_warns: whether the log has a warning of an unreadable image anyway.
        """
        self.ahead = Ahead(queue.head, self._prepare)
        self._images = images
        self._previews = previews
        self._damage = damage
        self._queue = queue
        self._marking = marking
        self._moves = moves
        self._changes = changes
        self._level = logging.INFO if inference_warns else logging.WARNING
        self._logged: set[tuple[str, str, str]] = set()  # message, photo and version of its file

    def tag(self, image: int, size_px: int | None, whole: bool = False) -> str:
        """What tells one picture for display from any other: file, content and size. Raises FileNotFoundError."""
        self._images.file(image)
        return name_of(self._images.version(image, whole), size_px)

    def render(self, image: int, size_px: int | None, whole: bool = False) -> Picture:
        """One picture for display.

        Args:
            image: its number.
            size_px: at most this many pixels on the long side; None: as it is.
            whole: of a tile show the photo that it is cut from.

        Raises:
            OSError: there is no such image, or its file cannot be opened.
            UnreadableError: it cannot be decoded; it is not asked any more.
        """
        limit_px = limit_of(size_px)
        if limit_px is not None and not whole and self._queue.states.is_open(image):
            self.ahead.asked(limit_px)
            self._moves.shown(image)
        with self._noted(image):
            file = self._images.file(image, whole)
            picture = self._previews.render(file, lambda: self._images.version(image, whole), size_px)
        if picture.damage:
            self._log_once(logging.WARNING, "%r is damaged, and shown as far as it goes. %s", image, picture.damage)
        return picture

    def damage_of(self, photo: Path) -> str | None:
        """Why nothing of a photo can be shown; None where it can."""
        grid = self._images.grid
        return self._damage.look(photo if grid is None else Path(next(grid.paths(str(photo)))))

    def _prepare(self, image: int, size_px: int) -> None:
        """Render a picture before anybody asks for it; whoever does ask is told of trouble with it."""
        with contextlib.suppress(OSError, UnreadableError), self._noted(image):
            self._previews.prepare(self._images.file(image), lambda: self._images.version(image), size_px)

    @contextlib.contextmanager
    def _noted(self, image: int) -> Iterator[None]:
        """Take note of an image that turns out to be unreadable in the block: it is not asked any more."""
        try:
            yield
        except UnreadableError as error:
            if not self._marking.is_undecodable(image):
                self._log_once(self._level, "%r is unreadable. %s", image, str(error))
                self._marking.undecodable(image)
                self._changes.notify()
            raise

    def _log_once(self, level: int, message: str, image: int, reason: str) -> None:
        """Log what is wrong with a photo, once for each version of its file, however many of its tiles are shown."""
        photo = photo_of(self._images.path(image))
        known = message, photo, self._images.version(image, whole=True)
        if known not in self._logged:
            self._logged.add(known)
            log.log(level, message, photo, reason)
