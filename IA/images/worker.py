"""What a process of `IA.images.workers` does: one job after another, within bounds of memory and time."""

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
    """Do what comes, and answer with whether it went well, and the result or the exception; until nobody asks."""
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such bound
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    jobs.send_bytes(b"ready")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # decoders complain there about each damaged file
    while True:
        try:
            function, arguments = jobs.recv()
        except EOFError:
            return
        _allow(cpu_s)
        try:
            answer = True, function(*arguments)
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            answer = False, error
        _send(jobs, answer)


def _allow(cpu_s: int) -> None:
    """The system ends this process by SIGXCPU when the next job takes longer."""
    _, most_s = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + cpu_s + 1, most_s))


def _send(jobs: Connection, answer: object) -> None:
    try:
        jobs.send(answer)
    except MemoryError:
        jobs.send((False, MemoryError()))
    except (pickle.PicklingError, TypeError, AttributeError):  # an exception that holds what cannot be sent
        jobs.send((False, RuntimeError(repr(answer))))


def _end_with_parent() -> None:
    """Leave when the one who started us has gone, however that ended."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(0)


def main() -> None:
    """Work for the process at the other end of the descriptor that is named."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for whoever asks, who tells us by leaving
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    descriptor, memory_bytes, cpu_s = map(int, sys.argv[1:])
    with contextlib.suppress(BrokenPipeError):
        work(Connection(descriptor), memory_bytes, cpu_s)


if __name__ == "__main__":
    main()
