"""Suspected label errors, the most probable first, found by a model that has not learnt them, and by haste."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from backend.store.sources import Source
from backend.store.table import DRAWN, Label
from IA.statistics.label_errors import LEAST, WORTH, Pace, error_score

Why = Literal["model", "fast"]

HANDS = ("key", "button")  # Nobody gave a timeout, so it has no speed.


class AnswerEvidence(NamedTuple):
    """What is known of a standing answer that may be a label error."""

    seq: int
    path: str
    label: Label
    source: Source
    client: str
    shown_ms: int | None
    is_alone: bool  # In a grid, and with near duplicates, `shown_ms` is not the time of one image.
    audit: int
    reviewed: bool

    @property
    def timed_ms(self) -> int | None:
        """How long the person took for this image; None where that is not known."""
        return self.shown_ms if self.source in HANDS and self.is_alone and not self.reviewed else None


class SuspectedError(NamedTuple):
    """An answer that is worth a second look.

    Attributes:
        seq: its number.
        path: of the image.
        held_out: probability of positive by a model that has not learnt the answer.
        suspicion: how probably it is a label error, 0 to 1.
        why: "fast" where only its haste makes it worth a look, else "model".
    """

    seq: int
    path: str
    held_out: float
    error_score: float
    why: Why


def suspected_errors(
    answers: Iterable[AnswerEvidence], held_out: Mapping[str, float], predicted: Callable[[str], float | None]
) -> list[SuspectedError]:
    """The answers that are worth a second look, the most suspicious first, and the newest among equals.

    What was answered a second time in the review is settled, and a skip is no answer that could be wrong.

    Args:
        answers: all that stand, newest first.
        held_out: probability of each answered image by a model that had not learnt it, where there is one.
        predicted: the probability now of an image that was drawn at random: the model has not learnt its answer.
    """
    labelled = [answer for answer in answers if answer.label != "skipped"]
    times: dict[tuple[str, Label], list[int]] = defaultdict(list)
    for answer in labelled:
        if answer.timed_ms is not None:
            times[answer.client, answer.label].append(answer.timed_ms)
    paces = {whose: Pace(some) for whose, some in times.items()}
    found = []
    for answer in labelled:
        held = predicted(answer.path) if answer.audit == DRAWN else held_out.get(answer.path)
        if answer.reviewed or held is None:
            continue
        is_positive, timed_ms = answer.label == "positive", answer.timed_ms
        without_haste = error_score(held, is_positive)
        if without_haste < LEAST:
            continue
        haste = 0.0 if timed_ms is None else paces[answer.client, answer.label].haste(timed_ms)
        suspicious = error_score(held, is_positive, haste)
        if suspicious >= WORTH:
            why: Why = "model" if without_haste >= WORTH else "fast"
            found.append(SuspectedError(answer.seq, answer.path, held, suspicious, why))
    return sorted(found, key=lambda slip: -slip.error_score)
