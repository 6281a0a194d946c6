"""Kill -9 of a real supervisor, and of each process beneath it, at random moments while people answer."""

import contextlib
import random
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from tests.faults.deaths.lives import Tally, live_and_die
from tests.faults.deaths.meanwhile import CAUGHT_UP_S, PAUSE_S, Meanwhile
from tests.faults.deaths.nursery import Nursery
from tests.faults.deaths.served import Served, comes_true, kill_once, processes_left
from tests.processes.suite import START_S as SESSION_START_S
from tests.processes.suite import Suite, kill

LIFE_S = 1.0
START_S = 1.5  # about what a start takes
CHILDREN = ("IA.training", "IA.inference", "IA.selector", "backend.processes.tensorboard", "backend.processes.reaper")


class Supervised(Served):
    """A run whose server is started by a real supervisor."""

    def __init__(self, nursery: Nursery, run: Path, datadir: Path, seed: int, ai: bool = False) -> None:
        super().__init__(nursery, run, datadir, seed, ai=ai)
        self.suite = Suite(run, datadir, *([] if ai else ["--no-ai"]))
        self.place = "127.0.0.1", self.suite.port

    def start(self, without: str = "") -> None:
        """Start the supervisor; the server is not up yet."""
        self.suite.launch()
        self.server = _Supervisor(self.suite)


class _Supervisor:
    """The process of a supervisor."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._process = suite.process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal, if it is alive."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill -9, and wait until it is dead."""
        self._process.kill()
        self._process.wait()  # not for the end of its output, which what it has started may hold open
        if self._process.stdout is not None:
            self._process.stdout.close()

    def left(self) -> list[int]:
        """What works on its run and is still alive."""
        return self._suite.processes()


def kill_supervisors(kills: int, with_loops: int, seed: int = 0) -> Tally:
    """Kill the supervisor so often.

    Args:
        kills: how often, without loops beneath it.
        with_loops: how often with all of them.
        seed: of everything drawn at random.
    """
    generator, tally = random.Random(seed), Tally()
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        for ai, many in ((False, kills), (True, with_loops)):
            make = partial(_supervised, nursery, Path(folder) / str(ai), ai)
            tally += live_and_die(make, many, kill_once, generator, START_S)
    return tally


def _supervised(nursery: Nursery, folder: Path, ai: bool, name: str, seed: int) -> Supervised:
    return Supervised(nursery, folder / name, folder / f"images-{name}", seed, ai)


def kill_children(kills: int, seed: int = 0) -> Meanwhile:
    """Kill each process of a session so often, and wait each time until its supervisor has brought it back."""
    told = Meanwhile()
    with Nursery() as nursery, tempfile.TemporaryDirectory() as folder:
        served = Supervised(nursery, Path(folder) / "run", Path(folder) / "images", seed, ai=True)
        with contextlib.ExitStack() as stack:
            stack.callback(served.end)
            served.start()
            told.add(served.come_up())
            if not comes_true(lambda: served.all_run(), SESSION_START_S):
                told.finding.wrong.append(f"not all loops run: {served.status()}")
            served.work(pause_s=PAUSE_S)
            killers = [_ChildKiller(served.suite, module, kills, seed) for module in CHILDREN]
            for thread in killers:
                thread.start()
            for thread in killers:
                thread.join()
                told.finding.wrong += thread.wrong
            served.crowd.stop()
            told.hear(served)
            told.add(served.come_up())
            for _ in range(kills):
                served.work(pause_s=PAUSE_S)
                time.sleep(random.uniform(0, LIFE_S))
                if server := served.suite.pid_of("backend"):
                    kill(server)
                served.crowd.stop()
                told.add(served.come_up())
            if not comes_true(lambda: served.has_caught_up(), CAUGHT_UP_S):
                told.finding.wrong.append(f"not all is back: {served.status()}")
            told.finding.wrong += [] if served.suite.ctrl_c() == 0 else ["the session did not end well"]
            told.finding.wrong += processes_left(served.server)
        told.acknowledged = served.crowd.acknowledged
    return told


class _ChildKiller(threading.Thread):
    """Kills one process of a session at random moments, and waits until it is back."""

    def __init__(self, suite: Suite, module: str, kills: int, seed: int) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._suite = suite
        self._module = module
        self._kills = kills
        self._random = random.Random(f"{seed} {module}")
        self._pid = 0

    def run(self) -> None:
        """Kill so often."""
        if not comes_true(partial(self._is_back, 0), SESSION_START_S):
            self.wrong.append(f"{self._module} was not started")
            return
        for _ in range(self._kills):
            time.sleep(self._random.uniform(0, LIFE_S))  # the random moment
            kill(self._pid)
            dead, self._pid = self._pid, 0
            if not comes_true(partial(self._is_back, dead), SESSION_START_S):
                self.wrong.append(f"{self._module} was not started again")
                break

    def _is_back(self, dead: int) -> bool:
        self._pid = self._suite.pid_of(self._module)
        return self._pid not in (0, dead)
