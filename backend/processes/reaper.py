"""Reaper: ends the process groups of a supervisor that was killed, so that none of its processes stays behind.

It reads `+123` and `-123` from its standard input as process groups start and end. At the end of the input, which is
the end of the supervisor however that came, it sends TERM to the groups that remain, and KILL after `GRACE_S`.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 3.0


def remaining(lines: Iterable[str]) -> set[int]:
    """Read the input to its end; return the groups that have started and not ended."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        (groups.add if line[0] == "+" else groups.discard)(group)
    return groups


def reap(groups: set[int], grace_s: float) -> None:
    """End these process groups."""
    _signal(groups, signal.SIGTERM)
    ends_s = time.monotonic() + grace_s
    while time.monotonic() < ends_s and any(_is_there(group) for group in groups):
        time.sleep(0.05)
    _signal(groups, signal.SIGKILL)


def _signal(groups: set[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Wait for the supervisor to end, and ignore the signals that are meant for it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    reap(remaining(sys.stdin), GRACE_S)


if __name__ == "__main__":
    main()
