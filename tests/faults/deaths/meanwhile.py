"""What people and files went through while other processes were killed."""

from dataclasses import dataclass, field

from tests.faults.deaths.crowd import Finding
from tests.faults.deaths.served import Served

PAUSE_S = 0.03  # of each person between two answers: the loops have something to learn, and time to
CAUGHT_UP_S = 180.0  # with the real network, on a machine that has other things to do


@dataclass
class Meanwhile:
    """What people and files went through while other processes were killed.

    Attributes:
        kills: of all processes together.
        acknowledged: answers, and undos, acknowledged.
        refused: what was answered to those that were not, while the server was there.
        slowest_s: the longest that one answer took.
        reads: how often all files of the run were read meanwhile.
        finding: what was lost or wrong.
    """

    kills: int = 0
    acknowledged: int = 0
    refused: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    reads: int = 0
    finding: Finding = field(default_factory=Finding)

    @property
    def is_good(self) -> bool:
        """Whether nothing was refused, lost or wrong."""
        return self.finding.is_good and not self.refused

    def hear(self, served: Served) -> None:
        """Hear from all people what they were answered until now."""
        for person in served.crowd.people:
            self.refused += person.refused
            self.slowest_s = max(self.slowest_s, person.slowest_s)

    def add(self, finding: Finding) -> None:
        """Count what was found."""
        self.finding.lost += finding.lost
        self.finding.wrong += finding.wrong

    def __str__(self) -> str:
        text = (
            f"{self.finding.lost} of {self.acknowledged:,} answers lost, {len(self.refused)} refused, the slowest took "
            f"{1000 * self.slowest_s:.0f} ms; other harm: {len(self.finding.wrong)}"
        )
        text += f"; all files read {self.reads:,} times" if self.reads else ""
        first = (self.finding.wrong + self.refused)[:1]
        return f"{text}; the first: {first[0]}" if first else text
