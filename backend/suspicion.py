"""How suspicious an answer is: what a model that has not learnt it says against it, and how hastily it was given."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Literal, NamedTuple

from backend.answers import DRAWN, Label, Source

Why = Literal["model", "fast"]

WORTH = 0.5  # an answer of at least this suspicion is worth a look
# Nats for each deviation by which an answer is faster than the person's others; with more, fewer slips are found.
HASTE = 0.25
PACE_FROM = 20  # answers of one person with one label; fewer say nothing of what is fast
CERTAIN = 1e-6  # probabilities are kept this far from 0 and 1
HANDS = ("key", "button")  # a timeout has no speed: nobody gave it


class Given(NamedTuple):
    """Of a standing answer, what suspicion rests on."""

    seq: int
    path: str
    label: Label
    source: Source
    client: str
    shown_ms: int | None
    is_alone: bool  # on the screen: in a grid, and with a near duplicate, the time is not that of one image
    audit: int
    reviewed: bool


class Slip(NamedTuple):
    """An answer that is worth a look.

    Attributes:
        seq: its number.
        path: of the image.
        held_out: probability of positive by a model that has not learnt the answer.
        suspicion: the same of the label that was not given, with what haste adds, 0 to 1.
        why: "fast" where only its haste makes it worth a look, else "model".
    """

    seq: int
    path: str
    held_out: float
    suspicion: float
    why: Why


def slips(
    answers: Iterable[Given], held_out: Mapping[str, float], said_now: Callable[[str], float | None]
) -> list[Slip]:
    """The answers that are worth a look, the most suspicious first, and the newest among equals.

    What was answered a second time in the review is settled, and a skip is no answer that could be wrong.

    Args:
        answers: all that stand, newest first.
        held_out: probability of each answered image by a model that had not learnt it, where there is one.
        said_now: what the model says now of an image that was drawn at random: it has not learnt the answer.
    """
    labelled = [answer for answer in answers if answer.label != "skipped"]
    haste = _Haste(labelled)
    found = []
    for answer in labelled:
        held = said_now(answer.path) if answer.audit == DRAWN else held_out.get(answer.path)
        if answer.reviewed or held is None:
            continue
        doubt = _logit(held if answer.label == "negative" else 1 - held)
        suspicion = _sigmoid(doubt + HASTE * haste.of(answer))
        if suspicion >= WORTH:
            why: Why = "model" if _sigmoid(doubt) >= WORTH else "fast"
            found.append(Slip(answer.seq, answer.path, held, suspicion, why))
    return sorted(found, key=lambda slip: -slip.suspicion)


class _Haste:
    """How fast answers are beside the others of the same person with the same label."""

    def __init__(self, answers: Sequence[Given]) -> None:
        times: dict[tuple[str, Label], list[int]] = defaultdict(list)
        for answer in answers:
            if answer.shown_ms is not None and _is_timed(answer):
                times[answer.client, answer.label].append(answer.shown_ms)
        self._times = {whose: sorted(some) for whose, some in times.items() if len(some) >= PACE_FROM}

    def of(self, answer: Given) -> float:
        """The normal deviate of its place among them, above 0 for the faster half; 0 where nothing is known."""
        times = self._times.get((answer.client, answer.label))
        if times is None or answer.shown_ms is None or not _is_timed(answer):
            return 0.0
        place = (bisect_left(times, answer.shown_ms) + bisect_right(times, answer.shown_ms)) / 2
        return -NormalDist().inv_cdf(place / len(times))


def _is_timed(answer: Given) -> bool:
    return answer.source in HANDS and answer.is_alone and not answer.reviewed


def _logit(probability: float) -> float:
    kept = min(max(probability, CERTAIN), 1 - CERTAIN)
    return math.log(kept / (1 - kept))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
