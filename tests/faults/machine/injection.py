"""System calls of a running process that fail on demand: strace's fault injection, on chosen files only."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALL = re.compile(r"^(\d+) +(\w+)\(")


@dataclass
class Injection:
    """What strace saw; complete once the block has ended.

    Attributes:
        calls: how many there were of each system call, of the thread that made most of them.
        failed: how many of them were made to fail.
    """

    calls: Counter[str] = field(default_factory=Counter)
    failed: int = 0


def missing() -> str | None:
    """Why nothing can be injected here; None where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    scope = Path("/proc/sys/kernel/yama/ptrace_scope")
    if os.geteuid() and scope.exists() and int(scope.read_text()) > 0:
        return "a running process may only be traced by root here (kernel.yama.ptrace_scope)"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "strace may not trace here"


def arguments(log: Path, calls: Sequence[str], paths: Sequence[Path], fault: str | None) -> list[str]:
    """Command line of strace.

    Args:
        log: gets one line a call.
        calls: names of system calls.
        paths: calls on other files are left alone.
        fault: such as `error=EIO:when=3`, counted for each call and thread; None: only look.
    """
    names = ",".join(calls)
    chosen = [option for path in paths for option in ("-P", str(path))]
    inject = [] if fault is None else ["-e", f"inject={names}:{fault}"]
    return ["strace", "-f", "-o", str(log), "-e", f"trace={names}", *inject, *chosen]


@contextlib.contextmanager
def injected(pid: int, calls: Sequence[str], paths: Sequence[Path], fault: str | None = None) -> Iterator[Injection]:
    """Let calls of a running process fail while the block lasts; see `arguments`."""
    seen = Injection()
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        tracer = subprocess.Popen(
            [*arguments(log, calls, paths, fault), "-p", str(pid)], stderr=subprocess.PIPE, text=True
        )
        assert tracer.stderr is not None
        try:
            line = tracer.stderr.readline()
            if "attached" not in line:
                raise RuntimeError(f"strace could not attach: {line}")
            yield seen
        finally:
            tracer.send_signal(signal.SIGINT)  # it lets go of the process
            tracer.communicate()
            read_log(log, seen)


def read_log(log: Path, seen: Injection) -> None:
    """Count what strace has written down."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    seen.failed += sum(line.endswith("(INJECTED)") for line in lines)
    each = Counter(found.groups() for line in lines if (found := CALL.match(line)))
    for (_, call), count in each.items():
        seen.calls[call] = max(seen.calls[call], count)
