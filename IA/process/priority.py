"""Who gives way: what embeds images lets everything go first that a person waits for.

On Linux each thread has a priority of its own, which the threads and processes that it starts begin with. Nothing but
root can raise one again, so a thread that a person waits for never steps back.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

NICE = 10  # on a busy processor this is a tenth of the share of what does not give way
TASKS = Path("/proc/self/task")


def give_way() -> None:
    """Let the calling thread, and what it starts from now on, give way; not where that would be the whole process."""
    if sys.platform == "linux":
        _lower([0])


def let_give_way(threads: Iterable[int]) -> None:
    """The same for some threads of this process, as `own_threads` names them, or for children that have but one."""
    _lower(threads)


def own_threads() -> frozenset[int]:
    """The threads of this process, also those that libraries have started; empty where the system has no such list."""
    try:
        return frozenset(int(task.name) for task in TASKS.iterdir())
    except OSError:
        return frozenset()


def process_gives_way() -> None:
    """Let this process as a whole give way, where single threads cannot."""
    if sys.platform != "linux":
        os.nice(NICE)


def _lower(threads: Iterable[int]) -> None:
    lowered = os.getpriority(os.PRIO_PROCESS, os.getpid()) + NICE  # below the main thread, which never gives way
    for thread in threads:
        with contextlib.suppress(OSError):  # it has ended, or the system does not allow it
            os.setpriority(os.PRIO_PROCESS, thread, lowered)
