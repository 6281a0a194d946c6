"""Follows DATADIR: a thread lists the folder, and then looks at every path that the system reports as changed."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
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

from backend.images.listing import Listing, sentence_on_missing, sentence_on_unread
from backend.images.numbers import Numbers
from IA.protocol import watching
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
SETTLE_S = 0.3  # The thread waits so long after an event, because a file that is being copied in causes several.
PUBLISH_EVERY_S = 1.0
LIST_AGAIN_S = 4.0  # least time between two listings, where the system cannot watch or a folder cannot be read
LOOK_EVERY_S = 2.0  # The thread checks so often that no other folder was mounted in place of the watched one.
PUBLISH_FIRST_S = 0.1  # The first publication comes early, because nobody can answer before it.


class Follower:
    """Keeps the numbers of the images up to date with a folder, from a thread of its own.

    Attributes:
        is_listing: the folder has not been listed to its end yet.
        lists_again: the folder is listed at intervals, because the system does not report all changes in it.
    """

    def __init__(self, run: Path, datadir: Path, numbers: Numbers, follow_links: bool) -> None:
        self.is_listing = True
        self.lists_again = False
        self._datadir = datadir
        self._numbers = numbers
        self._is_watching = True
        self._is_whole = True  # The last listing could look for all known images.
        # The images leave out a run inside DATADIR; a run that contains DATADIR, or is DATADIR, leaves nothing out.
        self._leave_out = run if datadir in run.parents else None
        self._listing = Listing(datadir, self._leave_out, follow_links)
        self._leading_out = 0
        self._warned: set[str] = set()
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

    def wake(self) -> None:
        """Have the thread publish the images that came since the last publication."""
        self._wake.set()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        self._numbers.report_all()
        while not self._stop.is_set():
            began_s = time.monotonic()
            folder = watching.identity(self._datadir)
            observer = self._watch()
            try:
                self.lists_again = observer is None
                self._list()
                pause_s = max(LIST_AGAIN_S, 10 * (time.monotonic() - began_s))
                self._apply_touches(folder, pause_s)
            finally:
                if observer is not None:
                    observer.stop()

    def _watch(self) -> BaseObserver | None:
        """Begin to watch the folder; None if the folder is away, or inotify is exhausted."""
        try:
            observer = watching.observe(self._datadir, _Touched(self.touch), EVENTS, recursive=True)
        except OSError as error:
            if self._is_watching:
                log.warning("%s cannot be watched (%s); listing it again and again", self._datadir, error)
            self._is_watching = False
            return None
        self._is_watching = True
        return observer

    def _look_for_gaps(self) -> None:
        """Decide after a walk to list again later if the system does not report all changes, such as below links."""
        unwatched = watching.unwatched(self._listing.folders)
        if unwatched:
            many = counted(unwatched, "folder", "folders")
            self._say(
                f"{many} in {self._datadir} cannot be watched, for fs.inotify.max_user_watches is reached; "
                "listing all again and again",
                key="unwatched",
            )
        for folder in self._listing.unread:
            self._say(f"{folder} cannot be listed; the images in it are left out until it can")
        if unwatched or self._listing.unread or self._listing.entered:
            self.lists_again = True

    def _list(self) -> None:
        """Walk the whole folder: number new images and mark missing ones as gone, except in unreadable folders."""
        found = bytearray(len(self._numbers.paths))  # A set of a million numbers would take 60 MB.
        is_empty = True
        published = time.monotonic()
        for path in self._listing.walk(self._datadir):
            is_empty = False
            numbers = self._numbers.add(self._numbers.relative(path))
            if numbers.start < len(found):  # New images have numbers beyond `found`.
                found[numbers.start : numbers.stop] = bytes([True]) * len(numbers)
            if self._stop.is_set():
                return
            if time.monotonic() - published > (PUBLISH_EVERY_S if self._numbers.published else PUBLISH_FIRST_S):
                self._numbers.publish()
                published = time.monotonic()
        unread = list(self._listing.unread)
        self._look_for_gaps()
        if is_empty:  # A disk that is not mounted leaves an empty folder, or none.
            unread.append(self._datadir)
        missing = [number for number, is_there in enumerate(found) if not is_there and number not in self._numbers.gone]
        is_whole = self._leave(missing, unread)
        # When the folder is whole again, the other loops look again for the images that they did not find.
        self._numbers.publish(again=is_whole and not self._is_whole)
        self._is_whole = is_whole
        self.lists_again |= not is_whole
        present = len(self._numbers.paths) - len(self._numbers.gone)
        log.info("listed %d images in %s", present, self._datadir)
        if self._listing.leading_out != self._leading_out:
            self._leading_out = self._listing.leading_out
            log.warning("%d links lead out of %s; --follow-links follows them", self._leading_out, self._datadir)
        self._say(sentence_on_missing(self._listing.missing))
        self._say(sentence_on_unread(self._listing.others, present // self._numbers.tiles), key="others")
        self.is_listing = False  # Whoever waits for the end of the listing has all warnings by then.

    def _say(self, sentence: str, key: str = "") -> None:
        """Log a sentence as a warning once, or only the first of all sentences with one key; "" is not logged."""
        if sentence and (key or sentence) not in self._warned:
            self._warned.add(key or sentence)
            log.warning("%s", sentence)

    def _leave(self, missing: Sequence[int], unread: Sequence[Path]) -> bool:
        """Mark missing images as gone, except in unreadable folders. Returns whether every folder was readable."""
        kept = tuple("" if folder == self._datadir else f"{self._numbers.relative(folder)}/" for folder in unread)
        away = [number for number in missing if self._numbers.paths[number].startswith(kept)]
        for number in set(missing).difference(away):
            self._numbers.remove(number)
        if away and self._is_whole:
            log.warning("%s cannot be read, or is empty: its %d images are waited for", unread[0], len(away))
        return not away

    def touch(self, path: Path) -> None:
        """Take note that something has happened at a path; may be called from any thread."""
        with self._lock:
            self._touched.add(path)
        self._wake.set()

    def _apply_touches(self, folder: object, pause_s: float) -> None:
        """Follow single files as they come, go and change, while DATADIR is still this folder.

        If the system does not report all changes, this ends after `pause_s`.
        """
        ends_s = time.monotonic() + pause_s
        while not self._stop.is_set() and watching.identity(self._datadir) == folder:
            if self.lists_again and time.monotonic() > ends_s:
                return
            self._wake.wait(LOOK_EVERY_S)
            if self._wake.is_set() and not self._stop.wait(SETTLE_S):
                self._wake.clear()
                with self._lock:
                    touched, self._touched = self._touched, set()
                self._numbers.publish(again=self._look_at_all(touched))
            else:
                self._numbers.publish()

    def _look_at_all(self, paths: Iterable[Path]) -> bool:
        """Call `_look_at` for each path; True if a known file is another one now. Unreadable paths stay unchanged."""
        changed = False
        for path in paths:
            try:
                changed |= self._look_at(path)
            except OSError as error:
                log.warning("%s cannot be looked at (%s)", path, error.strerror)
        return changed

    def _look_at(self, path: Path) -> bool:
        """Update the images at one path; True if a file that was known before is another one now."""
        relative = self._numbers.relative(path)
        if any(map(is_left_out, relative.split("/"))):
            return False
        if self._leave_out is not None and path.is_relative_to(self._leave_out):
            return False
        if self._listing.enters(path, path.is_symlink()):
            before = len(self._numbers.gone)
            for inside in self._listing.walk(path):
                self._numbers.add(self._numbers.relative(inside))
            self._look_for_gaps()
            return len(self._numbers.gone) != before
        if self._listing.is_image(path, path.is_symlink()):
            known = self._numbers.of_file(relative)
            for number in self._numbers.add(relative):
                self._numbers.report(number)
            return known is not None
        # The file is missing, or a link that leads out of the folder has replaced it.
        if self._numbers.of_file(relative) is not None or not path.exists():
            for number in self._numbers.inside(relative):
                self._numbers.remove(number)
        return False


class _Touched(FileSystemEventHandler):
    """Passes on the paths of events; an exception here would end the observer."""

    def __init__(self, touch: Callable[[Path], None]) -> None:
        self._touch = touch

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                self._touch(Path(os.fsdecode(path)))
