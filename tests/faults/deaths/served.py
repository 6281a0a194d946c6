"""A server of a run that is killed again and again, and what its run directory has to look like each time."""

import contextlib
import http.client
import os
import pickle
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from config import Config
from IA.protocol import files as protocol
from IA.protocol import pickle_file
from IA.protocol.pickle_file import PickleFile
from tests.faults.deaths.crowd import Crowd, Finding, Standing, add_image, await_up, told
from tests.faults.deaths.nursery import Forked, Nursery, Process
from tests.processes.suite import free_port
from tests.serving import until

PICKLES: tuple[PickleFile[object], ...] = tuple(
    content for content in vars(protocol).values() if isinstance(content, PickleFile)
)
SERVER = "backend.server:serve"
IMAGES = 60
PEOPLE = 4
START_S = 0.4  # about what a start takes
SETTLED_S = 20.0
SWEPT_S = 3.0  # all is swept before the server is up; only those of living writers come and go


class Served:
    """A run, its folder of images, its crowd, and the server that is alive now."""

    def __init__(self, nursery: Nursery, run: Path, datadir: Path, seed: int, **settings: object) -> None:
        self.run = run
        self.datadir = datadir
        self.terminal = datadir.with_name(f"{datadir.name}.terminal")
        given = {"ai": False, "tensorboard": False, "audit": 0.0} | settings
        self.config = Config(run=run, datadir=datadir, port=free_port(), **given)  # type: ignore[arg-type]
        self.place = self.config.host, self.config.port
        self.crowd = Crowd(datadir, PEOPLE, seed)
        self._nursery = nursery
        self.server: Process | None = None
        datadir.mkdir(parents=True)
        generator = random.Random(seed)
        for _ in range(IMAGES):
            add_image(datadir, generator)

    @property
    def token(self) -> str:
        """The token of the run; "" before there is one."""
        with contextlib.suppress(OSError):
            return (self.run / "token").read_text().strip()
        return ""

    def start(self, without: str = "") -> None:
        """Start the server; it is not up yet."""
        self.server = self.fork(SERVER, without)

    def fork(self, main: str, without: str = "") -> Forked:
        """Start an entry point on this run."""
        environment = {**self.config.environment(), "IA_LOG_LEVEL": "WARNING"}
        return self._nursery.start(main, environment, self.terminal, without)

    def come_up(self) -> Finding:
        """Wait until the server answers, and compare what it and its files say with what was acknowledged."""
        try:
            self._await_up()
        except AssertionError as error:
            return Finding(wrong=[str(error)])
        return self._check()

    def work(self, answers: bool = True, pause_s: float = 0.0) -> None:
        """Have the crowd work; the server is up."""
        self.crowd.start(self.place, self.token, answers, pause_s)

    def status(self) -> Any:
        """What the page is told."""
        return told(self.place, self.token, "/api/status")

    def all_run(self) -> bool:
        """Whether all loops run."""
        return set(self.status()["loops"].values()) == {"running"}

    def has_caught_up(self) -> bool:
        """Whether all loops run, and the ranking knows every answer."""
        status = self.status()
        ranking, learnt = status["ranking"], status["positives"] + status["negatives"]
        return self.all_run() and ranking is not None and ranking["labels"] == learnt

    def freeze(self) -> None:
        """Stop the server where it is: it does and says nothing more."""
        if self.server is not None:
            self.server.signal(signal.SIGSTOP)

    def end(self) -> None:
        """Kill -9 of the server, and the end of the crowd."""
        if self.server is not None:
            self.server.kill()
        self.crowd.stop()

    def delete(self) -> None:
        """Remove the run and its images."""
        for folder in (self.run, self.datadir):
            shutil.rmtree(folder, ignore_errors=True)

    def _await_up(self) -> None:
        server = self.server
        assert server is not None
        ends_s = time.monotonic() + SETTLED_S
        while not (token := self.token) and server.is_alive() and time.monotonic() < ends_s:
            time.sleep(0.002)  # between two looks
        try:
            await_up(self.place, token, server.is_alive)
        except AssertionError as error:
            raise AssertionError(f"the server did not come up: {self.terminal.read_text()[-500:]!r}") from error

    def _check(self) -> Finding:
        try:
            finding = self.crowd.check(self.place, self.token)
            in_order = self.crowd.in_order(self.place, self.token)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Finding(wrong=[f"the server does not tell: {error!r}"])
        if not comes_true(lambda: annotations(self.run) == in_order):
            finding.wrong.append("annotations.pickle is not what the server tells")
        if not comes_true(lambda: not leftovers(self.run), SWEPT_S):
            finding.wrong.append(f"left over: {leftovers(self.run)}")
        finding.wrong += unreadable(self.run) + unsound(self.run)
        return finding


def kill_once(served: Served) -> list[str]:
    """Kill -9 of the server and the end of its crowd; returns sentences on what that leaves."""
    served.end()
    return processes_left(served.server) + unreadable(served.run)


def processes_left(killed: Process | None) -> list[str]:
    """A sentence if processes that it started do not end by themselves; then they are ended."""
    if killed is None or comes_true(lambda: not killed.left()):
        return []
    left = killed.left()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return [f"processes left: {left}"]


def annotations(run: Path) -> Standing | None:
    """annotations.pickle as anybody reads it, in the words of an export; None where there is none."""
    words = {True: "positive", False: "negative", None: "skipped"}
    try:
        with (run / protocol.ANNOTATIONS.name).open("rb") as file:
            return [(path, words[label]) for path, label in pickle.load(file).items()]
    except FileNotFoundError:
        return []


def unreadable(run: Path) -> list[str]:
    """A sentence on each file of the protocol that cannot be read."""
    wrong = []
    for file in PICKLES:
        try:
            pickle_file.read(run, file)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            wrong.append(str(error).replace(f"{run}/", ""))
    return wrong


def unsound(run: Path) -> list[str]:
    """What SQLite finds wrong with the answers, and images with two standing answers."""
    path = run / "labels.sqlite3"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
        twice = "SELECT path FROM answers WHERE state = 'standing' GROUP BY path HAVING count(*) > 1"
        return found + [f"{image} stands twice" for (image,) in connection.execute(twice)]


def leftovers(run: Path) -> list[str]:
    """Temporaries in the run directory whose writer is dead."""
    return [str(path.relative_to(run)) for path in run.rglob("*.tmp") if not _lives(path)]


def _lives(temporary: Path) -> bool:
    writer = temporary.name.split(".")[-2]
    try:
        os.kill(int(writer), 0)
    except (ValueError, OSError):
        return False
    return True


def comes_true(condition: Callable[[], object], deadline_s: float = SETTLED_S) -> bool:
    """Whether a condition comes true in time."""
    try:
        until(condition, deadline_s)
    except AssertionError:
        return False
    return True
