"""Locks that processes hold while they live, so that every file has one writer.

Some disks know no locks; Lustre and NFS may be mounted that way. There an abstract socket stands in for the lock, whose
name only one process of a machine can have. It does not keep out a process on another machine.
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

_held: dict[tuple[Path, str], os.stat_result] = {}  # the lock files that this process holds, by run and name
_renewed = contextlib.ExitStack()  # locks that `renew` took; this process holds them until it ends
atexit.register(_renewed.close)


@contextlib.contextmanager
def hold(run: Path, name: str) -> Iterator[bool]:
    """Hold the lock of one loop while the block runs; yields False if another process holds it.

    The system releases the lock when the process ends, however it ends.

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
    """Take each lock of this process again after its run directory was deleted or replaced.

    Raises:
        OSError: another process holds the lock by now. The error's text tells a person so.
    """
    for (run, name), status in list(_held.items()):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat((run / f".{name}.lock").stat(), status):
                continue
        if run.is_dir() and not _renewed.enter_context(hold(run, name)):
            raise OSError(f"another {name} works on {run} now; end one of them")


def is_held(run: Path, name: str) -> bool:
    """Whether a process holds this lock. Raises OSError if the system cannot tell."""
    try:
        # The file is opened for reading alone, because the disk may be read-only.
        with (run / f".{name}.lock").open("rb") as file, take(file, fcntl.LOCK_SH):
            return False
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


def is_of_the_disk(run: Path, name: str) -> bool:
    """Whether the disk of a run knows locks, which keep out other machines too."""
    with (run / f".{name}.lock").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in NO_LOCKS
    return True


def check_byte_locks(run: Path) -> None:
    """Check that the disk of a run can lock parts of a file, as SQLite does.

    Raises:
        UsageError: the disk cannot.
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
    """Lock an open file. To release it, close both the file and what is returned.

    Raises:
        BlockingIOError: another process holds the lock.
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
    """The socket that stands in for the lock of an open file until it is closed. Raises as `take` does."""
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
