"""The images: listing DATADIR, following it, and the number that each path keeps for good.

With a grid the images are the tiles of the photos there: those of one photo have numbers in a row.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver

from backend.images.listing import Listing, told_of, told_of_others
from backend.images.paths import Paths
from IA.images.tiles import Grid, photo_of
from IA.protocol import files as protocol
from IA.protocol import pickle_file, watching
from IA.text.image_files import is_left_out
from IA.text.words import counted

log = logging.getLogger(__name__)

EVENTS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
]
SETTLE_S = 0.3  # a file that is being copied in causes several events
PUBLISH_EVERY_S = 1.0
LIST_AGAIN_S = 4.0  # at least, where the system cannot watch or part of the folder cannot be read
LOOK_EVERY_S = 2.0  # whether the folder is still the one that is watched, and not another one mounted there
PUBLISH_FIRST_S = 0.1  # nobody can answer before


class Images:
    """Every image of DATADIR by number; a thread lists and follows the folder.

    `on_change(number)` is called, from that thread, for each image that is there, came, went, came back or was written
    anew; for one that came only once images.pickle has it: whatever happens then, the number stays that image's.
    """

    def __init__(
        self,
        run: Path,
        datadir: Path,
        on_change: Callable[[int], None] = lambda number: None,
        follow_links: bool = False,
        grid: Grid | None = None,
    ) -> None:
        self.datadir = datadir
        self.grid = grid
        self._tiles = len(grid) if grid else 1
        self.listing = True
        self._is_watching = True
        self._is_whole = True  # all images that are known could be looked for
        self._run = run.resolve()
        # A run inside DATADIR is no part of it; one around DATADIR, or in its place, hides nothing.
        self._leave_out = self._run if datadir in self._run.parents else None
        self._listing = Listing(datadir, self._leave_out, follow_links)
        self._follow_links = follow_links
        self._leading_out = 0
        self._told: set[str] = set()
        self._is_to_list_again = False  # at intervals: not all changes are told of
        self._on_change = on_change
        before = watching.Latest(run, protocol.IMAGES).content()
        self._paths = Paths(before)
        self._gone: set[int] = set()
        self._published = -1 if before is None else len(self._paths)
        self._is_publishing_again = False
        self._is_failing = False
        self._touched: set[Path] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="images", daemon=True)

    def start(self) -> None:
        """Begin to list and follow."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def publish_again(self) -> None:
        """Publish the paths again: the file was deleted."""
        self._is_publishing_again = True
        self._wake.set()

    def __len__(self) -> int:
        """How many numbers are given, those of removed images included."""
        return len(self._paths)

    @property
    def published(self) -> int:
        """How many of them images.pickle has."""
        return max(0, self._published)

    @property
    def present(self) -> int:
        """How many images there are now."""
        return len(self._paths) - len(self._gone)

    @property
    def photos(self) -> int:
        """How many files these are."""
        return self.present // self._tiles

    def path(self, number: int) -> str:
        """The path relative to DATADIR; of a tile with its mark. Raises IndexError for a number never given."""
        if number < 0:
            raise IndexError(number)
        return self._paths[number]

    def files(self) -> Iterator[Path]:
        """The files of all images that were ever known."""
        return (self.datadir / photo_of(self._paths[number]) for number in range(0, len(self._paths), self._tiles))

    def number(self, path: str) -> int | None:
        """The number of a path."""
        return self._paths.number(path)

    def is_gone(self, number: int) -> bool:
        """Whether the file was removed."""
        return number in self._gone

    def file(self, number: int, whole: bool = False) -> Path:
        """The file itself; of a tile that of its photo, with its mark, or the whole photo.

        Raises:
            FileNotFoundError: there is no such image, or a link has come to lead out of DATADIR.
        """
        try:
            path = self.path(number)
        except IndexError:
            raise FileNotFoundError(f"no image {number}") from None
        photo = self.datadir / photo_of(path)
        if not self._follow_links and not photo.resolve().is_relative_to(self.datadir):
            raise FileNotFoundError(f"{photo} leads out of {self.datadir}")
        return photo if whole else self.datadir / path

    def version(self, number: int, whole: bool = False) -> str:
        """A key of the file's content as it is now, for addresses that may be cached for good."""
        photo = photo_of(self._paths[number])
        path = photo if whole else self._paths[number]
        signature = watching.signature(self.datadir / photo)
        return hashlib.blake2b(repr((path, signature)).encode("utf-8", "replace"), digest_size=6).hexdigest()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        for number in range(len(self)):
            self._on_change(number)
        while not self._stop.is_set():
            began_s = time.monotonic()
            folder = watching.identity(self.datadir)
            observer = self._watch()
            try:
                self._is_to_list_again = observer is None
                self._list()
                pause_s = max(LIST_AGAIN_S, 10 * (time.monotonic() - began_s))
                self._apply_touches(folder, pause_s)
            finally:
                if observer is not None:
                    observer.stop()

    def _watch(self) -> BaseObserver | None:
        """Begin to watch the folder; None where that cannot be: it is away, or inotify is exhausted."""
        try:
            observer = watching.observe(self.datadir, _Touched(self._touch), EVENTS, recursive=True)
        except OSError as error:
            if self._is_watching:
                log.warning("%s cannot be watched (%s); listing it again and again", self.datadir, error)
            self._is_watching = False
            return None
        self._is_watching = True
        return observer

    def _look_for_gaps(self) -> None:
        """After a walk: list again later where changes are not told of, below links or where nothing can be watched."""
        unwatched = watching.unwatched(self._listing.folders)
        if unwatched:
            many = counted(unwatched, "folder", "folders")
            self._say(
                f"{many} in {self.datadir} cannot be watched, for fs.inotify.max_user_watches is reached; "
                "listing all again and again",
                key="unwatched",
            )
        for folder in self._listing.unread:
            self._say(f"{folder} cannot be listed; the images in it are left out until it can")
        if unwatched or self._listing.unread or self._listing.entered:
            self._is_to_list_again = True

    def _list(self) -> None:
        """Walk the whole folder: number what is new, mark what is gone; what cannot be read now is not gone."""
        found = bytearray(len(self._paths))  # a set of a million numbers would take 60 MB
        is_empty = True
        published = time.monotonic()
        for path in self._listing.walk(self.datadir):
            is_empty = False
            numbers = self._add(self._relative(str(path)))
            if numbers.start < len(found):  # those that come now are there
                found[numbers.start : numbers.stop] = bytes([True]) * len(numbers)
            if self._stop.is_set():
                return
            if time.monotonic() - published > (PUBLISH_EVERY_S if self._published > 0 else PUBLISH_FIRST_S):
                self._publish()
                published = time.monotonic()
        unread = list(self._listing.unread)
        self._look_for_gaps()
        if is_empty:  # where its disk is not mounted there is an empty folder, or none
            unread.append(self.datadir)
        missing = [number for number, is_there in enumerate(found) if not is_there and number not in self._gone]
        is_whole = self._leave(missing, unread)
        self._publish(again=is_whole and not self._is_whole)  # other loops look again for what they did not find
        self._is_whole = is_whole
        self._is_to_list_again |= not is_whole
        self.listing = False
        log.info("listed %d images in %s", self.present, self.datadir)
        if self._listing.leading_out != self._leading_out:
            self._leading_out = self._listing.leading_out
            log.warning("%d links lead out of %s; --follow-links follows them", self._leading_out, self.datadir)
        self._say(told_of(self._listing.missing))
        self._say(told_of_others(self._listing.others, self.photos), key="others")

    def _say(self, sentence: str, key: str = "") -> None:
        """Warn once of a sentence, or of all that have one key; "" says nothing."""
        if sentence and (key or sentence) not in self._told:
            self._told.add(key or sentence)
            log.warning("%s", sentence)

    def _leave(self, missing: Sequence[int], unread: Sequence[Path]) -> bool:
        """Mark missing images as gone, but for those in folders that could not be read; whether there is none such."""
        kept = tuple("" if folder == self.datadir else f"{self._relative(str(folder))}/" for folder in unread)
        away = [number for number in missing if self._paths[number].startswith(kept)]
        for number in set(missing).difference(away):
            self._remove(number)
        if away and self._is_whole:
            log.warning("%s cannot be read, or is empty: its %d images are waited for", unread[0], len(away))
        return not away

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.datadir).replace(os.sep, "/")

    def _numbers(self, file: str) -> range | None:
        """The numbers of a file: one, or those of its tiles; None where it never came."""
        first = self._paths.number(file if self.grid is None else next(self.grid.paths(file)))
        return None if first is None else range(first, first + self._tiles)

    def _add(self, file: str) -> range:
        """Numbers of the file, new ones if need be."""
        numbers = self._numbers(file)
        if numbers is None:
            first, *_ = [self._paths.add(path) for path in (self.grid.paths(file) if self.grid else [file])]
            return range(first, first + self._tiles)
        for number in numbers:
            if number in self._gone:
                self._gone.discard(number)
                self._tell(number)
        return numbers

    def _remove(self, number: int) -> None:
        self._gone.add(number)
        self._tell(number)

    def _tell(self, number: int) -> None:
        """Tell of a change, unless the number is still to be published."""
        if number < self._published:
            self._on_change(number)

    def _publish(self, again: bool = False) -> None:
        """Publish the paths if there are new ones; `again` tells the loops that a file has changed."""
        if len(self._paths) == self._published and not again and not self._is_publishing_again:
            return
        self._is_publishing_again = False
        try:
            pickle_file.publish(self._run, protocol.IMAGES, self._paths.as_list())
        except OSError as error:
            if not self._is_failing:
                log.warning("images.pickle could not be published (%s); trying again", error)
            self._is_failing = self._is_publishing_again = True
            return
        self._is_failing = False
        before, self._published = max(self._published, 0), len(self._paths)
        for number in range(before, self._published):
            self._on_change(number)

    def _touch(self, path: Path) -> None:
        with self._lock:
            self._touched.add(path)
        self._wake.set()

    def _apply_touches(self, folder: object, pause_s: float) -> None:
        """Follow single files as they come, go and change, while DATADIR is this very folder.

        Where not all changes are told of, for `pause_s` only.
        """
        ends_s = time.monotonic() + pause_s
        while not self._stop.is_set() and watching.identity(self.datadir) == folder:
            if self._is_to_list_again and time.monotonic() > ends_s:
                return
            self._wake.wait(LOOK_EVERY_S)
            if self._wake.is_set() and not self._stop.wait(SETTLE_S):
                self._wake.clear()
                with self._lock:
                    touched, self._touched = self._touched, set()
                self._publish(again=self._look_at_all(touched))
            else:
                self._publish()

    def _look_at_all(self, paths: Iterable[Path]) -> bool:
        """`_look_at` each; True if one is another now. What may not be looked at stays as it was."""
        changed = False
        for path in paths:
            try:
                changed |= self._look_at(path)
            except OSError as error:
                log.warning("%s cannot be looked at (%s)", path, error.strerror)
        return changed

    def _look_at(self, path: Path) -> bool:
        """Bring what is known of one path up to date; True if a file known before is another now."""
        relative = self._relative(str(path))
        if any(map(is_left_out, relative.split("/"))):
            return False
        if self._leave_out is not None and path.is_relative_to(self._leave_out):
            return False
        if self._listing.enters(path, path.is_symlink()):
            before = len(self._gone)
            for inside in self._listing.walk(path):
                self._add(self._relative(str(inside)))
            self._look_for_gaps()
            return len(self._gone) != before
        if self._listing.is_image(path, path.is_symlink()):
            known = self._numbers(relative)
            for number in self._add(relative):
                self._tell(number)
            return known is not None
        if self._numbers(relative) is not None or not path.exists():  # a link that leads out may stand there now
            for number in self._inside(relative):
                self._remove(number)
        return False

    def _inside(self, relative: str) -> list[int]:
        """The numbers of one file, or of all in the folder that stood there."""
        numbers = self._numbers(relative)
        if numbers is not None:
            return list(numbers)
        folder = f"{relative}/"
        return [number for number, path in enumerate(self._paths) if path.startswith(folder)]


class _Touched(FileSystemEventHandler):
    """Hands on the paths of events; an exception here would end the observer."""

    def __init__(self, touch: Callable[[Path], None]) -> None:
        self._touch = touch

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._touch(Path(os.fsdecode(path)))
