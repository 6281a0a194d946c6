"""What a part of the fault tests has to say: one figure a row, against its bar."""

from collections.abc import Iterator
from dataclasses import dataclass

HEADER = "| what | bar | measured | |\n|---|---|---|---|"


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: was tried, with how often.
        bar: what must come out.
        measured: what did, or why it could not be tried here.
        is_met: whether the bar was reached; None where it could not be tried.
    """

    what: str
    bar: str
    measured: str
    is_met: bool | None

    def __str__(self) -> str:
        verdict = {True: "met", False: "NOT MET", None: "SKIPPED"}[self.is_met]
        return f"| {self.what} | {self.bar} | {self.measured} | {verdict} |"


def skipped(what: str, why: str) -> Iterator[Row]:
    """The only row of a part that cannot be tried on this machine."""
    yield Row(what, "-", why, None)
