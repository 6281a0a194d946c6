"""Holds a run, so that no other session and no other command works on it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from config import UsageError
from IA.protocol.locks import hold


@contextlib.contextmanager
def alone(run: Path, then: str) -> Iterator[None]:
    """Hold a run for a command while the block lasts.

    Args:
        run: the run directory.
        then: what the person can do once the session has ended, in a word.

    Raises:
        UsageError: a session has the run, or it cannot be written.
    """
    with _held(run, "session", "server") as are_free:
        if not are_free:
            raise UsageError(f"The run {run} is open in a session; end that first, then {then}.")
        yield


@contextlib.contextmanager
def only_session(run: Path) -> Iterator[None]:
    """Hold a run for a session, whose server holds it too, while the block lasts.

    Raises:
        UsageError: another session has the run, or it cannot be written.
    """
    with _held(run, "session") as is_free:
        if not is_free:
            raise UsageError(f"The run {run} is open in another session; end that first, or name another with --run.")
        yield


@contextlib.contextmanager
def _held(run: Path, *names: str) -> Iterator[bool]:
    """Hold these locks of a run while the block lasts; yields whether all were free. Raises UsageError."""
    with contextlib.ExitStack() as locks:
        try:
            are_free = all([locks.enter_context(hold(run, name)) for name in names])
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"The run {run} cannot be written: {reason}; make it writable, or name another.") from None
        yield are_free
