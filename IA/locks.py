"""One writer a file: the lock that a process holds while it lives."""

import atexit
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

_held: dict[tuple[Path, str], os.stat_result] = {}  # the files behind the locks of this process
_renewed = contextlib.ExitStack()  # held until the process ends
atexit.register(_renewed.close)


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
        _held[run, name] = os.fstat(file.fileno())
        try:
            yield True
        finally:
            _held.pop((run, name), None)


def renew() -> None:
    """Hold each lock of this process in the run directory that is there now, where that was deleted or replaced.

    Raises:
        OSError: another process holds it by now, and so has the run; its text is for a person.
    """
    for (run, name), status in list(_held.items()):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat((run / f".{name}.lock").stat(), status):
                continue
        if run.is_dir() and not _renewed.enter_context(hold(run, name)):
            raise OSError(f"another {name} works on {run} now; end one of them")


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
