"""Lower priorities, so that embedding images gives way to everything that a person waits for.

On Linux each thread has a priority of its own, and the threads and processes that it starts inherit it. Only root can
raise a priority again, so a thread that a person waits for never lowers its own.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

NICE = 10  # on a busy processor, a thread that gives way gets a tenth of the time that another one gets
TASKS = Path("/proc/self/task")


def give_way() -> None:
    """Let the calling thread, and what it starts from now on, give way.

    This does nothing on systems where the priority belongs to the whole process.
    """
    if sys.platform == "linux":
        _lower([0])


def let_give_way(threads: Iterable[int]) -> None:
    """Let some threads of this process give way, as `own_threads` names them, or child processes of one thread."""
    _lower(threads)


def own_threads() -> frozenset[int]:
    """The threads of this process with those of its libraries; empty if the system has no list of them."""
    try:
        return frozenset(int(task.name) for task in TASKS.iterdir())
    except OSError:
        return frozenset()


def process_gives_way() -> None:
    """Let this whole process give way on systems where single threads cannot."""
    if sys.platform != "linux":
        os.nice(NICE)


def _lower(threads: Iterable[int]) -> None:
    lowered = os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICE  # below the main thread, which never gives way
    for thread in threads:
        with contextlib.suppress(OSError):  # the thread has ended, or the system does not allow it
            os.setpriority(os.PRIO_PROCESS, thread, lowered)
