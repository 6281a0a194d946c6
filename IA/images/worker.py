"""The main program of a process of `IA.images.workers`: one job after another, within bounds of memory and time."""

import contextlib
import os
import pickle
import resource
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection


def work(jobs: Connection, memory_bytes: int, cpu_s: int) -> None:
    """Do jobs until nobody asks any more. Each answer is True and the result, or False and the exception."""
    with contextlib.suppress(ValueError, OSError):  # macOS cannot bound the memory of a process
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    jobs.send_bytes(b"ready")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # decoders write there about each damaged file
    while True:
        try:
            function, arguments = jobs.recv()
        except EOFError:
            return
        _allow(cpu_s)
        try:
            answer = True, function(*arguments)
        except Exception as error:  # noqa: BLE001 - it is raised again in the process that asked
            answer = False, error
        _send(jobs, answer)


def _allow(cpu_s: int) -> None:
    """Let the system end this process by SIGXCPU if the next job takes longer."""
    _, most_s = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + cpu_s + 1, most_s))


def _send(jobs: Connection, answer: object) -> None:
    try:
        jobs.send(answer)
    except MemoryError:
        jobs.send((False, MemoryError()))
    except (pickle.PicklingError, TypeError, AttributeError):  # an exception that holds something without a pickle
        jobs.send((False, RuntimeError(repr(answer))))


def _end_with_parent() -> None:
    """End this process as soon as the process that started it has ended."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


def main() -> None:
    """Work for the process at the other end of a connection; the command line holds its descriptor."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are meant for the process that asks, whose end ends this one
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    descriptor, memory_bytes, cpu_s = map(int, sys.argv[1:])
    with contextlib.suppress(BrokenPipeError):
        work(Connection(descriptor), memory_bytes, cpu_s)


if __name__ == "__main__":
    main()
