"""Power cuts: a real server under load on a real ext4, whose power is cut at a random moment.

Every answer that was acknowledged has to be there when the power is back, and so have the choice of a strategy, the
run's identity and its token. The same is tried with one protection at a time taken out: then something must be lost.
"""

import contextlib
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.crowd import Finding
from tests.faults.disk import Disk, disk, why_not
from tests.faults.nursery import WITHOUT, Nursery
from tests.faults.report import Row, skipped
from tests.faults.served import Served, unreadable

CUTS = 1000
CRIPPLED_CUTS = 60
LEAST_CRIPPLED = 20
CUTS_A_RUN = 20
CUTS_AT_START = 0.2  # share of cuts that hit a server while it starts
START_S = 0.4
LOAD_S = 0.4


@dataclass
class Tally:
    """What came of some cuts."""

    cuts: int = 0
    acknowledged: int = 0
    strategies: int = 0
    lost: int = 0
    bad_cuts: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        text = f"{self.lost:,} of {self.acknowledged:,} acknowledged answers lost; {self.bad_cuts} of {self.cuts} cuts "
        text += f"lost or tore something, {self.strategies:,} strategies acknowledged"
        return text + (f"; the first: {self.wrong[0]}" if self.wrong else "")


def rows(scale: float) -> Iterator[Row]:
    """The cuts, and those with a protection taken out."""
    cuts, crippled = max(round(CUTS * scale), 1), max(round(CRIPPLED_CUTS * scale), LEAST_CRIPPLED)
    reason = why_not()
    if reason is not None:
        yield from skipped(f"{cuts} power cuts", reason)
        return
    with Nursery("backend.server") as nursery:
        for without in WITHOUT:
            try:
                tally = cut(nursery, crippled if without else cuts, without)
            except subprocess.CalledProcessError as error:
                yield from skipped(f"{cuts} power cuts", f"no loop device: {error.stderr.decode().strip()}")
                return
            if without:
                yield Row(f"{tally.cuts} without {without}", "something is lost", str(tally), tally.bad_cuts > 0)
            else:
                yield Row(f"{tally.cuts} power cuts under load", "0 lost, 0 torn", str(tally), not tally.bad_cuts)


def cut(nursery: Nursery, cuts: int, without: str = "", seed: int = 0) -> Tally:
    """Cut the power so often.

    Args:
        nursery: has imported the server.
        cuts: how often.
        without: the protection that is taken out of the server, if any.
        seed: of everything drawn at random.
    """
    generator, tally = random.Random(seed), Tally()
    with tempfile.TemporaryDirectory() as folder, disk(Path(folder)) as power:
        while tally.cuts < cuts:
            place = power.place / f"run-{tally.cuts}", Path(folder) / f"images-{tally.cuts}"
            served = Served(nursery, *place, seed=generator.getrandbits(32))
            with contextlib.ExitStack() as stack:
                stack.callback(served.delete)
                stack.callback(served.end)
                _Cutting(power, served, generator, tally, without).go_on_until(min(cuts, tally.cuts + CUTS_A_RUN))
            tally.acknowledged += served.crowd.acknowledged
            tally.strategies += served.crowd.strategies
    return tally


@dataclass
class _Cutting:
    """Cuts on one run, until something is lost."""

    disk: Disk
    served: Served
    generator: random.Random
    tally: Tally
    without: str
    _is_good: bool = True

    def go_on_until(self, cuts: int) -> None:
        """Cut until there were so many, or until one of them did harm."""
        self._come_up(cuts)
        while self._is_good and self.tally.cuts < cuts:
            self.served.work()
            self._cut(LOAD_S)
            self._come_up(cuts)

    def _come_up(self, cuts: int) -> None:
        """Start until the server is up, with some more cuts on the way, and compare what it tells."""
        self.served.start(self.without)
        while self._is_good and self.tally.cuts < cuts and self.generator.random() < CUTS_AT_START:
            self._cut(START_S)
            self.served.start(self.without)
        if self._is_good:
            self._judge(self.served.come_up())

    def _cut(self, within_s: float) -> None:
        time.sleep(self.generator.uniform(0, within_s))  # the random moment
        self.served.freeze()  # else an fsync under way returns as if it were done, which nobody hears in a power cut
        self.disk.cut()
        self.served.end()
        self.disk.unmount()
        self.disk.mount()
        self.tally.cuts += 1
        self._judge(Finding(wrong=unreadable(self.served.run)))

    def _judge(self, finding: Finding) -> None:
        if not finding.is_good:
            self._is_good = False
            self.tally.bad_cuts += 1
            self.tally.lost += finding.lost
            self.tally.wrong += finding.wrong
