"""One writer a file: the lock that a process holds while it lives."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def hold(run: Path, name: str) -> Iterator[bool]:
    """Hold the lock of one loop while the block runs; yields False where another process holds it.

    The system lets go of it when the process ends, however it ends.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / f".{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def is_held(run: Path, name: str) -> bool:
    """Whether the process behind this lock is alive. Raises OSError where that cannot be told."""
    try:
        with (run / f".{name}.lock").open("rb") as file:  # only read, as on a disk that has become read-only
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
