"""One server after another on one run, each ended at a random moment, while it starts or while people answer."""

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.deaths.crowd import Finding
from tests.faults.deaths.served import Served

ENDS_A_RUN = 25  # then a new run begins: a first start can be ended too
AT_START = 0.2  # share of ends that come while the server starts
QUIET = 0.4  # share of lives in which nobody answers: then no answer's fsync covers for another
LIFE_S = 0.4

End = Callable[[Served], list[str]]


@dataclass
class Tally:
    """What came of it.

    Attributes:
        ends: how many lives were ended.
        harmful: how many of these ends did harm.
        acknowledged: answers, and undos, acknowledged.
        strategies: changes of the strategy acknowledged.
        lost: acknowledged answers that were gone.
        wrong: sentences on other harm.
    """

    ends: int = 0
    harmful: int = 0
    acknowledged: int = 0
    strategies: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, finding: Finding) -> bool:
        """Count what was found; whether it is good."""
        self.harmful += not finding.is_good
        self.lost += finding.lost
        self.wrong += finding.wrong
        return finding.is_good

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def __str__(self) -> str:
        text = (
            f"{self.lost:,} of {self.acknowledged:,} answers lost; harm by {self.harmful} of {self.ends:,}; "
            f"{self.strategies:,} changes of the strategy acknowledged"
        )
        return f"{text}; the first: {self.wrong[0]}" if self.wrong else text


def live_and_die(
    make: Callable[[str, int], Served], ends: int, end: End, generator: random.Random, start_s: float, without: str = ""
) -> Tally:
    """End servers at random moments.

    Args:
        make: makes a new run of this name; the number is the seed of its crowd.
        ends: how often.
        end: ends the server, and its crowd; returns sentences on what is wrong then.
        generator: of everything drawn at random.
        start_s: about how long a start takes.
        without: the protection that is taken out of the server, if any.
    """
    tally = Tally()
    while tally.ends < ends:
        served = make(f"run-{tally.ends}", generator.getrandbits(32))
        lives = _Lives(served, tally, min(ends, tally.ends + ENDS_A_RUN), end, generator, start_s, without)
        with contextlib.ExitStack() as stack:
            stack.callback(served.delete)
            stack.callback(served.end)
            lives.go_on()
        tally.acknowledged += served.crowd.acknowledged
        tally.strategies += served.crowd.strategies
    return tally


@dataclass
class _Lives:
    """Lives of servers on one run, until harm is done."""

    served: Served
    tally: Tally
    until_ends: int
    end: End
    generator: random.Random
    start_s: float
    without: str

    def go_on(self) -> None:
        """Begin, work, end, and look at what is there, again and again."""
        good = self._come_up()
        while good and self.tally.ends < self.until_ends:
            self.served.work(answers=self.generator.random() >= QUIET)
            good = self._end(LIFE_S) and self._come_up()

    def _come_up(self) -> bool:
        """Start until the server is up, with some more ends on the way; whether what it tells is good."""
        self.served.start(self.without)
        while self.tally.ends < self.until_ends and self.generator.random() < AT_START:
            if not self._end(self.start_s):
                return False
            self.served.start(self.without)
        return self.tally.judge(self.served.come_up())

    def _end(self, within_s: float) -> bool:
        time.sleep(self.generator.uniform(0, within_s))  # the random moment
        self.tally.ends += 1
        return self.tally.judge(Finding(wrong=self.end(self.served)))
