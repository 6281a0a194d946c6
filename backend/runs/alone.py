"""Holds a run that no session may be working on."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from config import UsageError
from IA.protocol.locks import hold


@contextlib.contextmanager
def alone(run: Path, then: str) -> Iterator[None]:
    """Hold the run as a session and its server do.

    Args:
        run: the run directory.
        then: what can be done once the session has ended, in a word.

    Raises:
        UsageError: a session has it, or it cannot be written.
    """
    with held(run, "session", "server") as are_free:
        if not are_free:
            raise UsageError(f"The run {run} is open in a session; end that first, then {then}.")
        yield


@contextlib.contextmanager
def held(run: Path, *names: str) -> Iterator[bool]:
    """Hold these locks of a run while the block lasts; yields whether all were free.

    Raises:
        UsageError: the run directory cannot be written.
    """
    with contextlib.ExitStack() as locks:
        try:
            are_free = all([locks.enter_context(hold(run, name)) for name in names])
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"The run {run} cannot be written: {reason}; make it writable, or name another.") from None
        yield are_free
