"""Which files a process was decoding when it last died, so that none of them ends it twice."""

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

SLOTS = 64  # this many files may be decoded at the same time
KEPT = 4096  # the file remembers this many of the newest suspects

NAME = "suspects"


class Suspects:
    """A file of 64-bit keys: first a slot for each file that is being decoded, then the files that are suspect.

    The file is never synced, because only the death of the process counts, not that of the machine.
    """

    def __init__(self, directory: Path) -> None:
        """Take over what the previous process has left.

        Args:
            directory: only this object uses it, in one process at a time.

        Raises:
            OSError: the directory cannot be written.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / NAME
        data = path.read_bytes() if path.exists() else b""
        known = np.frombuffer(data, "<u8", len(data) // 8)
        known = np.concatenate([known[SLOTS:], known[:SLOTS]])
        known = known[known != 0][-KEPT:]
        self._known = set(known.tolist())
        path.write_bytes(np.concatenate([np.zeros(SLOTS, np.uint64), known]).astype("<u8").tobytes())
        self._file = path.open("r+b", buffering=0)
        self._free = list(range(SLOTS))
        self._lock = threading.Lock()
        if known.size:
            log.info("%d files were under way when this process died; they are decoded apart", known.size)

    def __contains__(self, key: int) -> bool:
        """Whether a process died while it decoded this file."""
        return key in self._known

    @contextlib.contextmanager
    def under_way(self, key: int) -> Iterator[None]:
        """Note the file as being decoded while the block lasts."""
        with self._lock:
            slot = self._free.pop()
        self._write(slot, key)
        try:
            yield
        finally:
            self._write(slot, 0)
            with self._lock:
                self._free.append(slot)

    def _write(self, slot: int, key: int) -> None:
        with contextlib.suppress(OSError):  # decoding goes on without a note if the disk fails
            os.pwrite(self._file.fileno(), key.to_bytes(8, "little"), 8 * slot)


def key_of(path: Path, status: os.stat_result) -> int:
    """A key of 64 bits for a file as it is now; it is never 0."""
    identity = f"{status.st_size} {status.st_mtime_ns} ".encode() + os.fsencode(path)
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "little") or 1
