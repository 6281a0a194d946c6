"""Servers and loops that start in a moment: forked from a process that has imported everything already.

Each runs the same entry point as `python -m` would, in a session of its own. A start costs milliseconds instead of
seconds, so that thousands can be killed. `python -m tests.faults.deaths.nursery MODULE...` is that process.
"""

import contextlib
import ctypes
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol

from config import ROOT

PR_SET_PDEATHSIG = 1
END_S = 20.0


class Process(Protocol):
    """A process that can be killed."""

    @property
    def pid(self) -> int:
        """Its number."""

    def is_alive(self) -> bool:
        """Whether it still runs."""

    def signal(self, number: int) -> None:
        """Send a signal, if it is alive."""

    def kill(self) -> None:
        """Kill -9, and wait until it is dead."""

    def left(self) -> list[int]:
        """What it started and is still alive."""


class Forked:
    """One process that was started; it is dead when `wait` returns."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor = None

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._descriptor is not None and not select.select([self._descriptor], [], [], 0)[0]

    def signal(self, number: int) -> None:
        """Send a signal, if it is alive."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """Kill -9, and wait until it is dead."""
        self.signal(signal.SIGKILL)
        if self._descriptor is not None:
            assert select.select([self._descriptor], [], [], END_S)[0], f"process {self.pid} did not end"
            os.close(self._descriptor)
            self._descriptor = None

    def left(self) -> list[int]:
        """What it started and is still alive: the processes of its session."""
        return [pid for pid in _sessions().get(self.pid, ()) if pid != self.pid]


class Nursery:
    """The process that forks; what it has forked ends with it."""

    def __init__(self, *modules: str) -> None:
        """Import these modules there."""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def start(self, main: str, environment: Mapping[str, str], terminal: Path, without: str = "") -> Forked:
        """Start an entry point.

        Args:
            main: `module:function`.
            environment: what it finds in its environment besides ours.
            terminal: a file that its output is added to.
            without: what to take out of it, see tests/faults/deaths/crippled.py.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        order = {"main": main, "environment": dict(environment), "terminal": str(terminal), "without": without}
        with self._lock:
            self._process.stdin.write(f"{json.dumps(order)}\n")
            self._process.stdin.flush()
            return Forked(int(self._process.stdout.readline()))

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def _sessions() -> dict[int, list[int]]:
    """All processes that are alive, by session."""
    found: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdecimal():
            with contextlib.suppress(OSError):
                state, _, _, session = path.joinpath("stat").read_text().rsplit(")", 1)[1].split()[:4]
                if state not in "ZX":
                    found.setdefault(int(session), []).append(int(path.name))
    return found


# --- in the nursery ---------------------------------------------------------------------------------------------------


def _become(main: str, environment: dict[str, str], terminal: str, without: str) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(terminal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor, place in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
        os.dup2(descriptor, place)
    os.environ.update(environment)
    sys.argv = [main]
    importlib.import_module("tests.faults.deaths.crippled").cripple(without)
    module, function = main.split(":")
    importlib.import_module("IA.process.loop").run_loop(getattr(importlib.import_module(module), function))


def main() -> None:
    """Import what was named, then fork for each line of the input."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need not be waited for
    while line := os.read(0, 1 << 16):  # one order at a time: it is answered before the next
        pid = os.fork()
        if pid == 0:
            try:
                _become(**json.loads(line))
            except BaseException:  # noqa: BLE001 - a fork must never go on as the nursery
                traceback.print_exc()
            os._exit(1)
        os.write(1, f"{pid}\n".encode())


if __name__ == "__main__":
    main()
