"""A whole session as a person starts it: real processes, real signals."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from config import ROOT
from tests.serving import until
from tests.wire import check

START_S = 90.0
END_S = 30.0


class Suite:
    """One session and a client that has its token."""

    def __init__(
        self, run: Path, datadir: Path, *options: str, host: str = "127.0.0.1", clone: Path | None = None
    ) -> None:
        """Start nothing yet.

        Args:
            run: the run directory.
            datadir: the folder of images.
            options: of launch.sh.
            host: to listen on.
            clone: a copy of the project to start, which is left to find the run by itself.
        """
        self.run, self.datadir = run, datadir
        self._root = clone or ROOT
        self.port = free_port()
        self.link = ""
        self.through: list[str] = []  # another program that it is to be started by
        named = [] if clone else ["--run", str(run)]
        self._arguments = [host, str(self.port), str(datadir), *named, "--audit", "0", *options]
        self._terminal = run.with_name(f"{run.name}.terminal")
        self.process: subprocess.Popen[str]
        self.client: httpx.Client

    def launch(self) -> None:
        """Start, and wait for nothing."""
        with self._terminal.open("a") as terminal:
            command = [*self.through, sys.executable, "-m", "backend.supervisor", *self._arguments]
            self.process = subprocess.Popen(command, cwd=self._root, stdout=subprocess.PIPE, stderr=terminal, text=True)

    def start(self) -> "Suite":
        """Start, and wait for the link."""
        self.launch()
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        if not self.link:
            self.process.kill()
            self.process.communicate()
        assert self.link, self.terminal()
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            timeout=20,
            trust_env=False,
            verify=False,
            event_hooks={"response": [check]},
        )
        self.client.get("/api/status", params=dict(httpx.URL(self.link).params), follow_redirects=True)
        return self

    def terminal(self) -> str:
        """What a person saw on the terminal."""
        return self._terminal.read_text()

    def status(self) -> dict[str, object]:
        """What the page is told."""
        content: dict[str, object] = self.client.get("/api/status").raise_for_status().json()
        return content

    def answer(self, image: int, label: str, client: str = "me") -> dict[str, int]:
        """Post an answer."""
        body = {"image": image, "label": label, "client": client}
        content: dict[str, int] = self.client.post("/api/annotations", json=body).raise_for_status().json()
        return content

    def all_run(self) -> bool:
        """Whether all loops are running."""
        loops = self.status()["loops"]
        assert isinstance(loops, dict)
        return set(loops.values()) == {"running"}

    def learnt(self) -> int:
        """How many answers the ranking has learnt."""
        ranking = self.status()["ranking"]
        return ranking["labels"] if isinstance(ranking, dict) else -1

    def ctrl_c(self) -> int:
        """End as a person does; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(END_S)

    def processes(self) -> list[int]:
        """Every process that works on this run, found by its environment."""
        mark = f"IA_RUN={self.run}".encode()
        return [pid for pid in pids() if mark in _environment(pid).split(b"\0")]

    def pid_of(self, module: str) -> int:
        """The process that runs this module; 0 if there is none."""
        found = [pid for pid in self.processes() if f"-m\0{module}\0" in _command(pid) + "\0"]
        return min(found, default=0)


@contextlib.contextmanager
def running(
    run: Path, datadir: Path, *options: str, host: str = "127.0.0.1", clone: Path | None = None
) -> Iterator[Suite]:
    """A session that is started, and ended in any case."""
    suite = Suite(run, datadir, *options, host=host, clone=clone).start()
    try:
        yield suite
    finally:
        if suite.process.poll() is None:
            suite.process.terminate()
            suite.process.wait(END_S)
        suite.client.close()
        assert suite.process.stdout is not None
        suite.process.stdout.close()
        until(lambda: not suite.processes(), END_S)


def pids() -> list[int]:
    """All processes that are alive; dead ones that nobody has waited for do not count."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and not _is_zombie(path)]


def free_port() -> int:
    """A port that is free, and the next one too."""
    while True:
        port = random.randrange(20_000, 32_000)  # below those that the system gives to outgoing connections meanwhile
        with contextlib.suppress(OSError):
            for each in (port, port + 1):
                socket.create_server(("127.0.0.1", each)).close()
            return port


def kill(pid: int) -> None:
    """Kill -9."""
    os.kill(pid, signal.SIGKILL)


def _is_zombie(path: Path) -> bool:
    try:
        return path.joinpath("stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
