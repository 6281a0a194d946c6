"""Chooses answers for a review, by how they were given and by how much the model doubts them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from backend.store.sources import Source
from backend.store.table import Label

Order = Literal["newest", "suspicious"]

SURE = 0.8  # The model is sure from this probability on, and below its complement.


class Outline(NamedTuple):
    """What a choice needs to know of a standing answer."""

    seq: int
    path: str
    label: Label
    source: Source
    probability: float | None


@dataclass(frozen=True)
class Choice:
    """Which answers a review asks for.

    Attributes:
        label: only these; None: all.
        source: only those given this way; None: all.
        least: only those of at least this held-out probability or, where there is none, probability shown.
        most: the same, at most.
        disagrees: only those of which a model that has not learnt them is sure that they are wrong.
        order: newest first, or most suspicious first: what such a model contradicts most.
    """

    label: Label | None = None
    source: Source | None = None
    least: float | None = None
    most: float | None = None
    disagrees: bool = False
    order: Order = "newest"

    @property
    def is_plain(self) -> bool:
        """Whether the label alone chooses, and the newest come first."""
        return self == Choice(label=self.label)


def choose(outlines: Iterable[Outline], held_out: Mapping[str, float], choice: Choice) -> list[int]:
    """The `seq` of the answers chosen, in the order asked for.

    Args:
        outlines: all standing answers, newest first.
        held_out: probability of each image by a model that had not learnt this answer, where there is one.
        choice: what is asked for.
    """
    chosen = [outline for outline in outlines if _is_chosen(outline, held_out.get(outline.path), choice)]
    if choice.order == "suspicious":
        chosen.sort(key=lambda outline: -_doubt(outline, held_out.get(outline.path)))
    return [outline.seq for outline in chosen]


def _is_chosen(outline: Outline, held_out: float | None, choice: Choice) -> bool:
    if choice.label is not None and outline.label != choice.label:
        return False
    if choice.source is not None and outline.source != choice.source:
        return False
    if choice.disagrees and _doubt(outline, held_out) < SURE:
        return False
    return _is_within(outline.probability if held_out is None else held_out, choice)


def _is_within(probability: float | None, choice: Choice) -> bool:
    if choice.least is None and choice.most is None:
        return True
    if probability is None:
        return False
    return (choice.least or 0.0) <= probability <= (1.0 if choice.most is None else choice.most)


def _doubt(outline: Outline, held_out: float | None) -> float:
    """How far the answer is from the held-out probability, 0 to 1; -1 where there is nothing to compare."""
    if held_out is None or outline.label == "skipped":
        return -1.0
    return 1.0 - held_out if outline.label == "positive" else held_out
