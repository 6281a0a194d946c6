"""Processes that decode, so that no file can end the process that asks, fill its memory or hold it up."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing import Pipe
from typing import Any, TypeVar

from config import python_path
from IA.images.pictures import UnreadableError
from IA.process.priority import let_give_way

MEMORY_BYTES = 3 * 2**30
CPU_S = 20  # one job may use so much time of a processor
WAIT_S = 300.0  # one job may take so long in all, since a disk may hang
TRIES = 2  # something other than the file may have ended the process the first time

Result = TypeVar("Result")


class Workers:
    """Some processes, each started when it is first needed. Any thread may use `call`.

    Attributes:
        give_way: whether processes that are started from now on give way to what a person waits for.
    """

    def __init__(self, most: int, memory_bytes: int = MEMORY_BYTES, cpu_s: int = CPU_S) -> None:
        """Start no process yet.

        Args:
            most: how many processes there may be; a call waits while all of them are busy.
            memory_bytes: how much memory each process may use.
            cpu_s: how long one job may keep a processor busy, in seconds.
        """
        self._bounds = (memory_bytes, cpu_s)
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._all: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._is_closed = False
        self.give_way = False

    def call(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call a function in one of the processes, and return what it returns or raise what it raises.

        Args:
            function: a function of a module, so that the process can import it.
            arguments: they are pickled, as is the result.

        Raises:
            UnreadableError: the call ended the process twice, or took too long.
            OSError: no process can be started, or there is no answer within `WAIT_S`.
        """
        with self._free:
            for _ in range(TRIES):
                worker = self._take()
                try:
                    is_good, result = worker.call(function, arguments)
                except (EOFError, ConnectionError):
                    if self._is_closed:
                        raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED)) from None
                    if self._end(worker) == -signal.SIGXCPU:
                        raise UnreadableError(f"It takes more than {self._bounds[1]} s to decode.") from None
                    continue
                except BaseException:
                    self._end(worker)
                    raise
                with self._lock:
                    self._idle.append(worker)
                if is_good:
                    return result  # type: ignore[no-any-return]
                raise result
        raise UnreadableError("The decoder crashed on it.")

    def close(self) -> None:
        """End the processes and cancel their jobs."""
        with self._lock:
            self._is_closed = True
            for worker in self._all:
                worker.end()

    def _take(self) -> "_Worker":
        with self._lock:
            if self._is_closed:
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            if self._idle:
                return self._idle.pop()
        worker = _Worker(*self._bounds)
        if self.give_way:
            worker.give_way()
        with self._lock:
            self._all.add(worker)
        if self._is_closed:
            self.close()
        return worker

    def _end(self, worker: "_Worker") -> int:
        with self._lock:
            self._all.discard(worker)
        return worker.end()


class _Worker:
    """One process; one thread at a time may use it."""

    def __init__(self, memory_bytes: int, cpu_s: int) -> None:
        self._jobs, theirs = Pipe()
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each further thread would use memory
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "IA.images.worker", *map(str, (theirs.fileno(), memory_bytes, cpu_s))],
                stdin=subprocess.PIPE,
                env={**os.environ, **one_thread, **python_path()},
                pass_fds=[theirs.fileno()],
            )
        try:
            self._jobs.recv_bytes()
        except EOFError:
            self.end()
            raise OSError(errno.ECHILD, "no process for decoding can be started") from None

    def give_way(self) -> None:
        """Let the process give way."""
        let_give_way([self._process.pid])

    def call(self, function: Callable[..., object], arguments: tuple[object, ...]) -> Any:
        self._jobs.send((function, arguments))
        if not self._jobs.poll(WAIT_S):
            raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        return self._jobs.recv()

    def end(self) -> int:
        """End the process; returns its exit code."""
        self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        return self._process.wait()
