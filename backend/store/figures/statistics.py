"""Figures of the work so far: how many positives were found, how often the model and the person were right."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_args

from backend.store.sources import Source
from backend.store.table import Label
from IA.statistics.audit import wilson

LAST = 50


class PastAnswer(NamedTuple):
    """One answer of the history; it may have been replaced or taken back."""

    path: str
    label: Label
    source: Source
    probability: float | None
    repeat: bool
    state: str


class AskedImage(NamedTuple):
    """One image with a positive or a negative answer.

    Attributes:
        positive: its standing answer.
        source: how that was given.
        probability: what was shown when the image was asked for the first time, before any answer to it.
    """

    positive: bool
    source: Source
    probability: float | None


class History:
    """What statistics need of all answers.

    Attributes:
        asked: the images with a positive or a negative answer, in the order first answered.
        repeats: of the images that timed out and were asked again blindly, whether they turned out positive.
    """

    def __init__(self, given: Iterable[PastAnswer], same: Mapping[str, str]) -> None:
        """Read the answers, in the order given.

        Args:
            given: all of them.
            same: near duplicates by another name, under which they count once: positive if one of them is.
        """
        shown: dict[str, float | None] = {}
        stands: dict[str, PastAnswer | None] = {}  # The order is that of the first answer that was not taken back.
        before: dict[str, PastAnswer] = {}
        missed: dict[str, bool] = {}  # A late press comes as a second answer of the same repeat.
        for answer in given:
            name = same.get(answer.path, answer.path)
            shown.setdefault(name, None if answer.repeat else answer.probability)
            if answer.state == "undone":
                continue
            standing = stands.setdefault(name, None)
            if answer.state == "standing" and (standing is None or standing.label != "positive"):
                stands[name] = answer
            is_repeat = name in missed or _timed_out(before.get(name))
            if answer.repeat and is_repeat and answer.label != "skipped":
                missed[name] = answer.label == "positive"
            before[name] = answer
        self.repeats = list(missed.values())
        self.asked = [
            AskedImage(answer.label == "positive", answer.source, shown[name])
            for name, answer in stands.items()
            if answer is not None and answer.label != "skipped"
        ]


def _timed_out(answer: PastAnswer | None) -> bool:
    return answer is not None and answer.source == "timeout" and answer.label != "positive"


def statistics(history: History, points: int) -> dict[str, Any]:
    """All figures, as `/api/statistics` has them; curves of at most `points` points."""
    sources = Counter(asked.source for asked in history.asked)
    low, high = wilson(sum(history.repeats), len(history.repeats))
    return {
        "answers": len(history.asked),
        "curve": curve([asked.positive for asked in history.asked], points),
        "asked": means([asked.probability for asked in history.asked], points),
        "prequential": prequential(history.asked),
        "repeats": {"asked": len(history.repeats), "missed": sum(history.repeats), "low": low, "high": high},
        "sources": {source: sources[source] for source in get_args(Source)},
    }


def curve(positive: Sequence[bool], points: int) -> dict[str, list[int]]:
    """Positives found against answers, from (0, 0) to the end, in at most `points` points (2 or more)."""
    found = [0]
    for is_positive in positive:
        found.append(found[-1] + is_positive)
    last = len(positive)
    steps = min(last, points - 1)
    places = [round(step * last / steps) for step in range(steps + 1)] if steps else [0]
    return {"answers": places, "positives": [found[place] for place in places]}


def means(probabilities: Sequence[float | None], points: int) -> dict[str, list[Any]]:
    """Mean probability of equal runs of answers, at most `points` of them; None where a run has none.

    Returns:
        For each run the number of answers up to its end, and its mean.
    """
    size = max(1, math.ceil(len(probabilities) / points))
    runs = [probabilities[start : start + size] for start in range(0, len(probabilities), size)]
    ends = [min(size * (number + 1), len(probabilities)) for number in range(len(runs))]
    return {"answers": ends, "probability": [_mean([value for value in run if value is not None]) for run in runs]}


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def prequential(asked: Sequence[AskedImage]) -> dict[str, float] | None:
    """How often the model was right before the answer, among the `LAST` images shown with a probability."""
    last = [image for image in asked if image.probability is not None][-LAST:]
    if not last:
        return None
    right = sum(
        (image.probability or 0.0) >= 0.5 if image.positive else (image.probability or 0.0) < 0.5 for image in last
    )
    low, high = wilson(right, len(last))
    return {"right": right, "of": len(last), "low": low or 0.0, "high": high or 0.0}
