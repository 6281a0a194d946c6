"""Kill -9 of trainer, inference and selector at random moments, while people answer and all files are read."""

import contextlib
import random
import re
import tempfile
import threading
import time
from pathlib import Path

from IA.protocol.files import (
    BACKBONE,
    DUPLICATES,
    EXPLANATIONS,
    FEATURES,
    FINE_TUNING,
    HELD_OUT,
    LOOPS,
    PREDICTIONS,
    PREDICTOR,
    RANKING,
    SIMILAR,
)
from tests.faults.deaths.meanwhile import CAUGHT_UP_S, PAUSE_S, Meanwhile
from tests.faults.deaths.nursery import Forked, Nursery
from tests.faults.deaths.served import Served, comes_true, processes_left, unreadable

KILLS_A_RUN = 25
DEAD = 2**22 + 1  # no process has that number
LIFE_S = 1.0
LOOK_EVERY_S = 0.02
NETWORK = "tiny"  # of tests/faults/deaths/small_network.py
MAINS = {"trainer": "IA.training:main", "inference": "IA.inference:main", "selector": "IA.selector:main"}
MODULES = ("tests.faults.deaths.small_network", "backend.server", *(main.split(":")[0] for main in MAINS.values()))
TROUBLE = re.compile(r"Traceback|is not a good|cannot|could not|lost|anew")


def kill_loops(kills: int, seed: int = 0) -> Meanwhile:
    """Kill each of the loops so often, all of them at the same time."""
    generator, told = random.Random(seed), Meanwhile()
    with Nursery(*MODULES) as nursery, tempfile.TemporaryDirectory() as folder:
        for begun in range(0, kills, KILLS_A_RUN):
            place = Path(folder) / f"run-{begun}", Path(folder) / f"images-{begun}"
            served = Served(nursery, *place, seed=generator.getrandbits(32), ai=True, network=NETWORK, finetune="off")
            with contextlib.ExitStack() as stack:
                stack.callback(served.delete)
                stack.callback(served.end)
                served.start()
                told.add(served.come_up())
                _leave_over(served.run)
                _kill_loops_of(served, min(KILLS_A_RUN, kills - begun), generator.getrandbits(32), told, stack)
            told.acknowledged += served.crowd.acknowledged
    return told


def _kill_loops_of(served: Served, kills: int, seed: int, told: Meanwhile, stack: contextlib.ExitStack) -> None:
    """Kill each loop of one run so often; then they have to catch up, and leave nothing behind."""
    ended = threading.Event()
    reader = threading.Thread(target=_read_all, args=(served.run, ended, told))
    killers = [_Killer(served, name, kills, seed + number) for number, name in enumerate(LOOPS)]
    served.work(pause_s=PAUSE_S)
    for thread in (reader, *killers):
        thread.start()
    for killer in killers:
        killer.join()
        stack.callback(killer.process.kill)
        told.kills += kills
        told.finding.wrong += killer.wrong
    served.crowd.stop()
    ended.set()
    reader.join()
    told.hear(served)
    if not comes_true(lambda: served.has_caught_up(), CAUGHT_UP_S):
        told.finding.wrong.append(f"the ranking has not caught up: {served.status()}")
    told.add(served.come_up())
    told.finding.wrong += _trouble(served.terminal)


def _leave_over(run: Path) -> None:
    """What loops leave that are killed as they write; some are so seldom that no kill may hit them."""
    pickles = (HELD_OUT, FEATURES, DUPLICATES, PREDICTIONS, RANKING, FINE_TUNING, EXPLANATIONS, SIMILAR)
    for name in (PREDICTOR, BACKBONE, *(file.name for file in pickles)):
        (run / f".{name}.{DEAD}.tmp").write_bytes(b"torn")


class _Killer(threading.Thread):
    """Kills one loop at random moments of its life, and starts it again at once; the last one lives."""

    def __init__(self, served: Served, name: str, kills: int, seed: int) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.process: Forked
        self._served = served
        self._main = MAINS[name]
        self._kills = kills
        self._random = random.Random(seed)

    def run(self) -> None:
        """Kill so often."""
        self.process = self._served.fork(self._main)
        for _ in range(self._kills):
            time.sleep(self._random.uniform(0, LIFE_S))  # the random moment
            if not self.process.is_alive():
                self.wrong.append(f"{self._main} ended by itself")
            self.process.kill()
            self.wrong += processes_left(self.process)
            self.process = self._served.fork(self._main)


def _read_all(run: Path, ended: threading.Event, told: Meanwhile) -> None:
    """Read all files of a run as the loops do, until told to end."""
    from IA.model import load_head  # torch takes seconds to import

    while not ended.wait(LOOK_EVERY_S):
        told.finding.wrong += unreadable(run)
        with contextlib.suppress(FileNotFoundError):
            try:
                load_head(run / PREDICTOR)
            except ValueError as error:
                told.finding.wrong.append(str(error))
        told.reads += 1


def _trouble(terminal: Path) -> list[str]:
    """Lines of a terminal that tell of damage."""
    return [line for line in terminal.read_text().splitlines() if TROUBLE.search(line)]
