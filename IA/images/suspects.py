"""Which files were being decoded when this process last died: none of them may end it twice."""

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

log = logging.getLogger(__name__)

SLOTS = 64  # files that may be under way at the same time
KEPT = 4096  # the newest suspects

NAME = "suspects"


class Suspects:
    """A file of 64-bit keys: those under way, a slot each, and then those that a death has made suspect.

    Nothing is synced: what counts is the death of this process, not of the machine.
    """

    def __init__(self, directory: Path) -> None:
        """Take over what the process before has left.

        Args:
            directory: of its own; one process at a time.

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
        """Whether this process has died while it was at this file."""
        return key in self._known

    @contextlib.contextmanager
    def under_way(self, key: int) -> Iterator[None]:
        """Remember the file while the block lasts."""
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
        with contextlib.suppress(OSError):  # a disk that fails has no say in decoding
            os.pwrite(self._file.fileno(), key.to_bytes(8, "little"), 8 * slot)


def key_of(path: Path, status: os.stat_result) -> int:
    """What names a file as it is now: 64 bits, never 0."""
    identity = f"{status.st_size} {status.st_mtime_ns} ".encode() + os.fsencode(path)
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "little") or 1
