"""Commands that change a run have it to themselves."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from config import UsageError
from IA.protocol import hold


@contextlib.contextmanager
def alone(run: Path, what: str) -> Iterator[None]:
    """Hold the run as a session and its server do. Raises UsageError where one of them does; `what` is then due."""
    with hold(run, "session") as session, hold(run, "server") as server:
        if not session or not server:
            raise UsageError(f"The run {run} is open in a session; end that first, then {what}.")
        yield
