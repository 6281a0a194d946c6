"""Noticing that a file was replaced: the last good version of a pickle, and a turn of a loop for each change."""

import contextlib
import errno
import logging
import os
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Generic, Protocol

from watchdog.events import FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from IA.protocol import locks
from IA.protocol.pickle_file import Content, PickleFile, Version, read

log = logging.getLogger(__name__)

INODE = re.compile(r"^inotify wd:\S+ ino:([0-9a-f]+) ", re.MULTILINE)  # what a process watches, in /proc/PID/fdinfo
AGAIN_S = 5.0  # a loop takes a turn after so long even if nothing has changed

Signature = tuple[int, int, int]


def signature(path: Path) -> Signature | None:
    """Tells one version of a file from the next: inode, time of change in ns, size in bytes. None: there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


class News:
    """Whether any of some files was replaced since this object was made."""

    def __init__(self, run: Path, *names: str) -> None:
        """Remember how the files are now.

        Args:
            run: the run directory.
            names: file names in it.
        """
        self._paths = [run / name for name in names]
        self._before = self._signatures()

    def has_come(self) -> bool:
        """Whether a file was replaced. This takes some microseconds for each file."""
        return self._signatures() != self._before

    def _signatures(self) -> list[Signature | None]:
        return [signature(path) for path in self._paths]


class Latest(Generic[Content]):
    """The last good version of one pickle. A torn or foreign file causes one warning and changes nothing."""

    def __init__(self, run: Path, file: PickleFile[Content]) -> None:
        self._run = run
        self._file = file
        self._seen: Signature | None = None
        self._is_failing = False
        self._version: Version[Content] | None = None

    def version(self) -> Version[Content] | None:
        """The last good version; the file is read again only if it was replaced. None before the first."""
        now = signature(self._run / self._file.name)
        if now is not None and now != self._seen:
            try:
                self._version = read(self._run, self._file)
                self._is_failing = False
            except FileNotFoundError:
                now = None
            except OSError as error:  # the file itself may be good, so the next call reads it again
                now = None
                if not self._is_failing:
                    log.warning("%s; the last good version stays in force", error)
                self._is_failing = True
            except ValueError as error:
                log.warning("%s; the last good version stays in force", error)
            self._seen = now
        return self._version

    def content(self) -> Content | None:
        """The content of `version()`."""
        version = self.version()
        return None if version is None else version.content


class _Wake(FileSystemEventHandler):
    """Sets an event when a file with one of the names is created or replaced. An exception would end the observer."""

    def __init__(self, names: frozenset[str], event: threading.Event) -> None:
        self._names = names
        self._event = event

    def on_any_event(self, event: FileSystemEvent) -> None:
        target = os.fsdecode(event.dest_path or event.src_path)
        if os.path.basename(target) in self._names:  # noqa: PTH119 - this runs for every event, and a Path is slower
            self._event.set()


def observe(
    folder: Path, handler: FileSystemEventHandler, events: list[type[FileSystemEvent]], recursive: bool = False
) -> BaseObserver:
    """Start a thread that reports events in a folder to the handler until somebody stops it.

    Raises:
        OSError: the system cannot watch the folder: it is gone, or inotify is exhausted. No thread is left behind.
    """
    observer = Observer()
    try:
        observer.schedule(handler, str(folder), recursive=recursive, event_filter=events)
        observer.start()
    except OSError:
        observer.stop()
        raise
    return observer


def unwatched(folders: Sequence[str]) -> int:
    """How many of these folders this process does not watch because the system has no watches left.

    Watchdog does not report this. Systems other than Linux cannot tell, so the answer there is 0.
    """
    known: set[int] = set()
    for info in Path("/proc/self/fdinfo").glob("*"):
        with contextlib.suppress(OSError):
            known.update(int(inode, 16) for inode in INODE.findall(info.read_text()))
    if not known:
        return 0
    missing = [folder for folder in folders if (status := signature(Path(folder))) and status[0] not in known]
    try:
        if missing:  # some file systems report other inodes there, so a further watch tells whether any are left
            observe(Path(missing[-1]), FileSystemEventHandler(), []).stop()
    except OSError as error:
        return len(missing) if error.errno == errno.ENOSPC else 0
    return 0


class StopFlag(Protocol):
    """Tells a loop to end; a threading.Event is one."""

    def is_set(self) -> bool:
        """Whether the loop should end."""


class _Watch:
    """Watches a run directory, and begins again if the directory is replaced by another one."""

    def __init__(self, run: Path, handler: FileSystemEventHandler, poll_s: float) -> None:
        self._run, self._handler, self._poll_s = run, handler, poll_s
        self._observer: BaseObserver | None = None
        self._begin()

    def _begin(self) -> None:
        self._folder = identity(self._run)
        try:
            self._observer = observe(self._run, self._handler, [FileMovedEvent, FileCreatedEvent])
        except OSError as error:
            log.warning("%s cannot be watched (%s); looking every %.1f s instead", self._run, error, self._poll_s)

    def look(self) -> bool:
        """Watch again and renew the locks if the directory was deleted and made again; returns whether it was."""
        if identity(self._run) in {None, self._folder}:
            return False
        self.close()
        self._begin()
        with contextlib.suppress(OSError):  # the server tells the person which other process has the run
            locks.renew()
        return True

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
        self._observer = None


def identity(folder: Path) -> tuple[int, int] | None:
    """Tells a folder from another one that is mounted or made in its place. None: there is no folder."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def changes(
    run: Path, *names: str, stop: StopFlag, poll_s: float = 0.5, again_s: float = AGAIN_S, stays: bool = True
) -> Iterator[None]:
    """Yield at once, and again whenever one of the files was replaced, until `stop` is set.

    Several replacements while the caller works are one turn. A look every `poll_s` seconds finds changes where the
    system cannot watch (inotify exhausted, network file systems), and finds a run directory that was replaced.

    Args:
        run: the run directory; it is made if it is missing.
        names: file names in it.
        stop: ends the iteration within `poll_s` seconds.
        poll_s: seconds between two looks.
        again_s: seconds after which to yield although nothing has changed, so that the caller tries again what failed.
        stays: whether to go on after the directory was replaced. A process that has lost its own files there ends
            instead, and the supervisor starts it again.
    """
    run.mkdir(parents=True, exist_ok=True)
    wake = threading.Event()
    watch = _Watch(run, _Wake(frozenset(names), wake), poll_s)
    try:
        while not stop.is_set():
            wake.clear()
            seen = [signature(run / name) for name in names]
            yield
            ends_s = time.monotonic() + again_s
            while not stop.is_set() and not wake.is_set() and seen == [signature(run / name) for name in names]:
                if time.monotonic() > ends_s:
                    break
                wake.wait(poll_s)
                if watch.look() and not stays:
                    log.warning("%s was deleted or replaced; beginning anew there", run)
                    return
    finally:
        watch.close()
