"""Holds a run that no session may be working on."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from config import UsageError
from IA.locks import hold


@contextlib.contextmanager
def alone(run: Path, then: str) -> Iterator[None]:
    """Hold the run as a session and its server do.

    Args:
        run: the run directory.
        then: what can be done once the session has ended, in a word.

    Raises:
        UsageError: a session has it.
    """
    with hold(run, "session") as session, hold(run, "server") as server:
        if not session or not server:
            raise UsageError(f"The run {run} is open in a session; end that first, then {then}.")
        yield
