"""The processes of a session: how each is started, watched, restarted and ended."""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from IA.process.loop import LOG_BYTES

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
WELL_AFTER_S = 60.0  # A process that lived so long is well: after its next death the wait is short again.
PERSONS_MISTAKE = 2  # The exit code of a process that has said in one sentence what is wrong.
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Command:
    """One process to keep alive.

    Attributes:
        name: what a person calls it.
        arguments: what to run.
        nice: how far it steps back behind others, 0 to 19.
        log: where its output goes; None: to the terminal.
        vital: the session ends with it when it exits with `PERSONS_MISTAKE`.
    """

    name: str
    arguments: Sequence[str]
    nice: int = 0
    log: Path | None = None
    vital: bool = False


class BackOff:
    """How long to wait before the next start: 0.25 s, doubling to 30 s, and from the beginning once it lived well."""

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S

    def after(self, lived_s: float) -> float:
        """Seconds to wait after a process that lived so long."""
        if lived_s >= WELL_AFTER_S:
            self._pause_s = FIRST_PAUSE_S
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)
        return pause_s


class Child:
    """One process, in a process group of its own, and its history."""

    def __init__(
        self,
        command: Command,
        environment: Mapping[str, str],
        told: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Calls `told("+123")` when a process group has started, and `told("-123")` when it has gone."""
        self.command = command
        self.exit_code: int | None = None
        self._environment = dict(environment)
        self._told = told
        self._clock = clock
        self._back_off = BackOff()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._start_at_s = 0.0

    @property
    def pid(self) -> int | None:
        """The number of the process while it runs."""
        return self._process.pid if self._process else None

    def keep_alive(self) -> None:
        """Notice whether the process has died, and start it again when it is time."""
        if self._process is not None and self._process.poll() is not None:
            self._bury(self._process)
        if self._process is None and self._clock() >= self._start_at_s:
            self._start()
        if self.command.log is not None:
            bound(self.command.log)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        if self._process is not None:
            _signal_group(self._process.pid, number)

    def is_gone(self) -> bool:
        """Whether the process has ended; kills what it has left in its group."""
        if self._process is not None and self._process.poll() is not None:
            self._end(self._process)
        return self._process is None

    def _start(self) -> None:
        parent = os.getpid()
        output = None
        try:
            output = self.command.log.open("ab") if self.command.log else None
            self._process = subprocess.Popen(
                self.command.arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: _prepare(self.command.nice, parent),
            )
        except (OSError, subprocess.SubprocessError) as error:
            pause_s = self._back_off.after(0.0)
            log.warning("%s could not be started (%s); again in %.2f s", self.command.name, error, pause_s)
            self._start_at_s = self._clock() + pause_s
            return
        finally:
            if output is not None:
                output.close()
        self._started_s = self._clock()
        self._told(f"+{self._process.pid}")

    def _bury(self, process: "subprocess.Popen[bytes]") -> None:
        code = self._end(process)
        lived_s = self._clock() - self._started_s
        is_hopeless = code == PERSONS_MISTAKE and not self.command.vital  # A vital process is wanted back at once.
        pause_s = LONGEST_PAUSE_S if is_hopeless else self._back_off.after(lived_s)
        self._start_at_s = self._clock() + pause_s
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        log.warning("%s %s after %.0f s; starting it again in %.2f s", self.command.name, how, lived_s, pause_s)

    def _end(self, process: "subprocess.Popen[bytes]") -> int:
        """Kill what the process left in its group, and forget it."""
        _signal_group(process.pid, signal.SIGKILL)
        self._told(f"-{process.pid}")
        self.exit_code = process.wait()
        self._process = None
        return self.exit_code


def end_all(children: Sequence[Child], grace_s: float) -> None:
    """Send TERM to all, and after `grace_s` KILL to those that are still there."""
    for child in children:
        child.signal(signal.SIGTERM)
    ends_s = time.monotonic() + grace_s
    while time.monotonic() < ends_s and not all([child.is_gone() for child in children]):
        time.sleep(0.02)
    for child in children:
        if not child.is_gone():
            log.warning("%s did not end in %.0f s and was killed", child.command.name, grace_s)
            child.signal(signal.SIGKILL)
    while not all([child.is_gone() for child in children]):
        time.sleep(0.02)


def bound(log_file: Path) -> None:
    """Empty a log that has grown too long; the process goes on writing to the same file."""
    with contextlib.suppress(OSError):  # The log is not there yet, or the disk is away.
        if log_file.stat().st_size > LOG_BYTES:
            os.truncate(log_file, 0)


def python(*arguments: str) -> list[str]:
    """A command that runs a module of ours."""
    return [sys.executable, *arguments]


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # The group has gone; macOS refuses signals to dead groups.
        return


def _prepare(nice: int, parent: int) -> None:
    """In the new process: step back, and end with the supervisor, however that ends."""
    os.nice(nice)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
