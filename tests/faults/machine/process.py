"""One annotation server in a process of its own, started again when it ends as its supervisor would."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import httpx

from config import ROOT, Config
from tests.processes.suite import free_port
from tests.serving import until

START_S = 30.0
HANG_S = 5.0  # a request without an answer for so long counts as hanging


class ServerProcess:
    """`python -m backend` on one run; `deaths` counts how often it ended by itself."""

    def __init__(self, run: Path, datadir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.run = run
        self.datadir = datadir
        self.port = free_port()
        self.deaths = 0
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=HANG_S, trust_env=False, verify=False
        )
        config = Config(run, port=self.port, datadir=datadir, ai=False, tensorboard=False, token=False)
        ours = {"IA_LOG_LEVEL": "CRITICAL", **config.environment()}  # as from a supervisor, that has checked everything
        self._environment = {**os.environ, **ours, **(environment or {})}
        self._terminal: IO[str] = run.with_name(f"{run.name}.terminal").open("a")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, through: Sequence[str] = ()) -> None:
        """Start it, by way of another program if there is one, and do not wait."""
        self._process = subprocess.Popen(
            [*through, sys.executable, "-m", "backend"],
            cwd=ROOT,
            env=self._environment,
            stderr=self._terminal,
            start_new_session=True,
        )

    def is_up(self) -> bool:
        """Whether it answers and has listed its images; one that has ended is started again."""
        if not self.is_alive:
            self.deaths += self._process is not None
            self.start()
        with contextlib.suppress(httpx.TransportError):
            status = self.client.get("/api/status", timeout=1)
            return status.status_code == 200 and not status.json()["listing"]
        return False

    def wait_until_up(self) -> float:
        """Wait for it; returns how many seconds that took."""
        began = time.monotonic()
        until(self.is_up, START_S)
        return time.monotonic() - began

    def kill(self) -> None:
        """Kill -9, with all that it has started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.kill()
        self.client.close()
        self._terminal.close()
