"""One writer a file: the lock that a process holds while it lives.

Where the disk of a run knows no locks, as Lustre and NFS may be mounted, a name that only one process of this machine
can have stands in for the lock: an abstract socket. It keeps nobody out who works on the same run from another machine.
"""

import atexit
import contextlib
import errno
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from config import UsageError

NO_LOCKS = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS})

_held: dict[tuple[Path, str], os.stat_result] = {}  # the files behind the locks of this process
_renewed = contextlib.ExitStack()  # held until the process ends
atexit.register(_renewed.close)


@contextlib.contextmanager
def hold(run: Path, name: str) -> Iterator[bool]:
    """Hold the lock of one loop while the block runs; yields False where another process holds it.

    The system lets go of it when the process ends, however it ends.

    Raises:
        UsageError: neither the disk nor this machine knows locks.
        OSError: the run directory cannot be written.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / f".{name}.lock").open("a") as file, contextlib.ExitStack() as held:
        try:
            held.enter_context(take(file))
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
        with (run / f".{name}.lock").open("rb") as file, take(file, fcntl.LOCK_SH):  # only read: the disk may be, too
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


def is_of_the_disk(run: Path, name: str) -> bool:
    """Whether the disk of a run knows locks, so that other machines are kept out too."""
    with (run / f".{name}.lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in NO_LOCKS
    return True


def check_byte_locks(run: Path) -> None:
    """See that SQLite can keep its answers here, which locks parts of its file.

    Raises:
        UsageError: the disk of the run knows no such locks.
        OSError: the run directory cannot be written.
    """
    with (run / ".session.lock").open("a") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                raise UsageError(
                    f"The disk of {run} knows no locks ({error.strerror}), and answers cannot be kept there; name a "
                    "run on another disk with --run."
                ) from None


def take(file: IO[str] | IO[bytes], kind: int = fcntl.LOCK_EX) -> contextlib.AbstractContextManager[object]:
    """Lock an open file; close both the file and what is returned to let go.

    Raises:
        BlockingIOError: another process has it.
        UsageError: neither the disk nor this machine knows locks.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return name_of_this_machine(file)
    return contextlib.nullcontext()


def name_of_this_machine(file: IO[str] | IO[bytes]) -> socket.socket:
    """What stands in for the lock of an open file: close it to let go. Raises as `take` does."""
    if sys.platform != "linux":
        raise UsageError(f"The disk that holds {file.name} knows no locks; name a place on another disk.")
    status = os.fstat(file.fileno())
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0intelligent-annotation {status.st_dev}:{status.st_ino}")
    except OSError as error:
        name.close()
        if error.errno == errno.EADDRINUSE:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK)) from None
        raise
    return name
