"""Pictures for the screen: decoded in worker processes, so that no file can stop or fill the server, and kept."""

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

from backend.previews.cache import PreviewCache
from backend.previews.rendering import Picture, render, render_ahead, rendered
from IA.images.pictures import UnreadableError
from IA.images.workers import Workers

WORKERS = 2
SIZES_PX = (64, 128, 256, 320, 480, 640, 960, 1280, 1600, 1920, 2560, 3840)
REMEMBERED = 10_000

Work = Callable[..., Picture | None]


def limit_of(size_px: int | None) -> int | None:
    """The size that is made for one that is asked for: rounded down to one of `SIZES_PX`, None for None."""
    if size_px is None:
        return None
    return max((size for size in SIZES_PX if size <= size_px), default=SIZES_PX[0])


def name_of(version: str, size_px: int | None) -> str:
    """What tells a picture from any other: the version of its file, and its size."""
    return f"{version}-{limit_of(size_px) or 'full'}"


class Previews:
    """A few decoders at work for the page, each in a process: a file that crashes one does not harm the server.

    Attributes:
        is_closed: no picture is made any more.
    """

    def __init__(self, folder: Path, inside: Path | None = None) -> None:
        """Begin with what was rendered before.

        Args:
            folder: where rendered pictures are kept.
            inside: the folder that every file must lie in; None: anywhere.
        """
        self._cache = PreviewCache(folder)
        self._inside = inside
        self._lock = threading.Lock()
        self._workers = Workers(WORKERS)
        self._threads = ThreadPoolExecutor(WORKERS, "render")
        self._flying: dict[str, Future[Picture | None]] = {}
        self._requests = 0
        self._quiet = threading.Condition()
        self.is_closed = False
        self._not_ahead: set[str] = set()  # sent as they are
        self._unreadable: dict[str, UnreadableError] = {}  # by version: finding out may have taken half a minute

    def render(self, path: Path, version: Callable[[], str], size_px: int | None) -> Picture:
        """The picture for display; call it from a thread, it waits.

        Args:
            path: of the image file.
            version: tells the key of the file's content as it is now.
            size_px: at most this many pixels on the long side, rounded down to one of `SIZES_PX`; None: as it is.

        Raises:
            UnreadableError: it cannot be decoded.
            OSError: it cannot be opened.
        """
        before = version()
        name = name_of(before, size_px)
        kept = self._cache.get(name)
        if kept is not None:
            return rendered(kept)
        with self.requested():
            picture = self._render(name, path, limit_of(size_px))
        if picture.is_rendered and version() == before:
            self._cache.put(name, picture.content)
        return picture

    @property
    def under_way(self) -> int:
        """How many pictures are being made."""
        return len(self._flying)

    def prepare(self, path: Path, version: Callable[[], str], size_px: int) -> None:
        """Render a picture that is not asked for yet, once no request is under way; one thread may call this.

        Raises:
            UnreadableError: it cannot be decoded.
            OSError: it cannot be opened.
        """
        before = version()
        name = name_of(before, size_px)
        if name in self._not_ahead or name in self._cache:
            return
        with self._quiet:
            self._quiet.wait_for(lambda: self._requests == 0 or self.is_closed)
        if self.is_closed:
            return
        try:
            picture = self.result(name, render_ahead, path, limit_of(size_px))
        except RuntimeError:  # the end
            picture = None
        if picture is None or not picture.is_rendered:
            self._leave(name)
        elif version() == before:
            self._cache.put(name, picture.content)

    def close(self) -> None:
        """End the workers; who waits for a picture gets none."""
        with self._quiet:
            self.is_closed = True
            self._quiet.notify_all()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._workers.close()

    @contextlib.contextmanager
    def requested(self) -> Iterator[None]:
        """A request is under way while the block lasts: nothing is begun ahead meanwhile."""
        with self._quiet:
            self._requests += 1
        try:
            yield
        finally:
            with self._quiet:
                self._requests -= 1
                self._quiet.notify_all()

    def _leave(self, name: str) -> None:
        if len(self._not_ahead) >= REMEMBERED:
            self._not_ahead.clear()
        self._not_ahead.add(name)

    # --- the pool -----------------------------------------------------------------------------------------------------

    def _render(self, name: str, path: Path, limit_px: int | None) -> Picture:
        while (picture := self.result(name, render, path, limit_px)) is None:
            pass  # it was begun ahead, and is sent as it is
        return picture

    def result(self, name: str, work: Work, path: Path, limit_px: int | None) -> Picture | None:
        """What comes of a job; where the same one is under way already, this waits for it.

        Raises:
            UnreadableError: the file cannot be decoded, or its decoder crashed.
            OSError: the file cannot be opened, or the server ends.
        """
        version = name.rsplit("-", 1)[0]
        with self._lock:
            if self.is_closed:
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            if version in self._unreadable:
                raise UnreadableError(*self._unreadable[version].args)
            if name not in self._flying:
                self._flying[name] = self._threads.submit(self._workers.call, work, path, limit_px, self._inside)
            future = self._flying[name]
        try:
            return future.result()
        except CancelledError:
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED)) from None
        except UnreadableError as error:
            with self._lock:
                if len(self._unreadable) >= REMEMBERED:
                    self._unreadable.clear()
                self._unreadable[version] = error
            raise
        finally:
            with self._lock:
                if self._flying.get(name) is future:
                    del self._flying[name]
