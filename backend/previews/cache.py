"""A cache of rendered pictures on the disk, of bounded size; where the disk fails, pictures are rendered again."""

import contextlib
import hashlib
import logging
import os
import shutil
import threading
from collections import OrderedDict
from pathlib import Path

log = logging.getLogger(__name__)

CACHE_BYTES = 2**30
LEAVE_FREE_BYTES = 2**29  # The answers need the last of the disk more.
LEAST_BYTES = 16 * 1024  # A smaller file counts as much, so that there are at most 65,536 files.
SUFFIX = ".preview"  # no suffix of an image: where the run is the image folder itself, this is nothing to ask about
DIGEST_BYTES = 16


class PreviewCache:
    """Keeps pictures by name in one folder, which may be deleted at any time; any thread may call any method."""

    def __init__(self, folder: Path, limit_bytes: int = CACHE_BYTES) -> None:
        """Go on with what is in the folder.

        Args:
            folder: of this cache alone; made when it is needed.
            limit_bytes: how much it may take.
        """
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()  # The least recently used picture comes first.
        self._taken_bytes = 0
        self._is_failing = False
        self._sweep()

    def __contains__(self, name: str) -> bool:
        """Whether the cache has a picture."""
        return os.path.exists(self._file(name))  # noqa: PTH110 - false where Path.exists raises: no permission

    def get(self, name: str) -> bytes | None:
        """A picture exactly as it was put; None where it is missing or damaged."""
        path = self._file(name)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        content, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
        if digest != _digest(content):  # Nothing here is synced, so a power cut may have torn the file.
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        with self._lock:
            if name in self._sizes:
                self._sizes.move_to_end(name)
        return content

    def put(self, name: str, content: bytes) -> None:
        """Keep a picture, if the disk has room for it."""
        try:
            self._write(name, content)
        except OSError as error:
            if not self._is_failing:
                log.warning("Pictures cannot be kept in %s (%s); they are made anew each time", self._folder, error)
            self._is_failing = True
            return
        self._is_failing = False
        with self._lock:
            self._enter(name, len(content) + DIGEST_BYTES)
            self._shrink()

    def _write(self, name: str, content: bytes) -> None:
        for folder in (self._folder.parent, self._folder):  # This does not make a run directory that was deleted.
            folder.mkdir(exist_ok=True)
        if shutil.disk_usage(self._folder).free < LEAVE_FREE_BYTES + len(content):
            raise OSError("the disk is nearly full")
        temporary = self._folder / f".{name}.{threading.get_ident()}.tmp"
        try:
            temporary.write_bytes(content + _digest(content))
            temporary.replace(self._file(name))
        finally:
            temporary.unlink(missing_ok=True)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _enter(self, name: str, size: int) -> None:
        self._taken_bytes -= self._sizes.pop(name, 0)
        self._sizes[name] = max(size, LEAST_BYTES)
        self._taken_bytes += self._sizes[name]

    def _shrink(self) -> None:
        while self._taken_bytes > self._limit_bytes:
            name, size = self._sizes.popitem(last=False)
            self._taken_bytes -= size
            with contextlib.suppress(OSError):
                self._file(name).unlink()

    def _sweep(self) -> None:
        """Remove what a dead writer has left, and list what is there."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.name.endswith(".tmp"):
                        Path(entry.path).unlink()
                    elif entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        found.append((status.st_mtime_ns, entry.name.removesuffix(SUFFIX), status.st_size))
        for _, name, size in sorted(found):
            self._enter(name, size)
        self._shrink()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()
