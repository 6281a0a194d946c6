"""What the questions drawn at random say: positives to find, the certificate, the model's precision and recall."""

from collections.abc import Iterable
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from backend.questions.draws import Counted
from backend.wire.figures import (
    AuditFigures,
    AuditStatus,
    CalibrationFigures,
    Interval,
    ModelFigures,
    Precision,
    RandomAnswers,
)
from IA.protocol.records import Predictions, Settings
from IA.statistics.audit import Division, expected_positives

RANDOM_ANSWERS = 50  # they tell well enough how right the labels of the model would be
REST_FOR_EACH = 5  # images of the rest for each random answer, where the rest is small


class Audit:
    """The figures of one moment."""

    def __init__(self, counted: Counted, settings: Settings) -> None:
        self.counted = counted
        self._settings = settings
        self._open = int(counted.sample.is_open.sum())
        self._standing = counted.sample.screening(counted.positives)

    @property
    def has_enough_sampled(self) -> bool:
        """Whether that for which all questions are drawn is there: so many random answers, or the certificate."""
        until = self._settings.audit_until
        if until is not None:
            return self._standing.rest.images > 0 and self.random_left(until) == 0
        return self._standing.certifies(self._settings.recall, self._settings.confidence)

    def random_left(self, wanted: int) -> int:
        """How many more random answers it takes until so many are there, or everything is answered."""
        return min(max(0, wanted - self._random_of(wanted)), self._open)

    @property
    def random(self) -> RandomAnswers:
        """Random answers there are from the rest, and how many it takes before the model may label it.

        At most one image in `REST_FOR_EACH` of the rest is needed, so that the last few can be labelled at all.
        """
        needed = min(RANDOM_ANSWERS, (self._open + self.counted.sampled) // REST_FOR_EACH)
        return {"answered": self._random_of(needed), "needed": needed}

    def _random_of(self, wanted: int) -> int:
        """How many random answers count where so many are wanted.

        That is the sample, on which the figures rest. It ends before the first image in random order that somebody has
        and does not answer. Nobody may hold up the others for good: from twice as many on those behind it count, too.
        """
        drawn = self.counted.sampled
        return drawn if drawn >= 2 * wanted else len(self.counted.sample.images)

    @cached_property
    def _to_certificate(self) -> int:
        return self._standing.answers_to_certificate(self._settings.recall, self._settings.confidence)

    def short(self) -> AuditStatus:
        """As the status tells it."""
        settings = self._settings
        return {
            "share": settings.audit,
            "after": settings.audit_after,
            "until": settings.audit_until,
            "random": self.random,
            "drawn": self.counted.sampled,
            "to_find": between(self._standing.to_find()),
            "certificate": {
                "recall": settings.recall,
                "confidence": settings.confidence,
                "given": not self._to_certificate,
                "answers": self._to_certificate,
            },
        }

    def whole(self, asked: int, predictions: Predictions | None) -> AuditFigures:
        """As the statistics tell it; `asked`: answers to drawn images, reached ones too."""
        rest, positives = self._standing.rest, self._standing.positives()
        all_images = self.counted.answered + self._open
        prevalence = [count / all_images for count in positives] if all_images else None
        return {
            **self.short(),
            "asked": asked,
            "rest": {"images": rest.images, "drawn": rest.drawn, "positives": rest.positives},
            "prevalence": between(prevalence),
            "positives": between(positives),
            "recall": between(self._standing.recall()),
            "model": self._model(predictions) if predictions and predictions.checkpoint else None,
            "calibration": self._calibration(predictions) if predictions else None,
        }

    def division(self, predictions: Predictions, threshold: float) -> Division:
        """What becomes of the images that remain if the model labels them; what it has not scored is not positive."""
        return self.counted.sample.division(self._standing.found, self.probability(predictions) >= threshold)

    def _model(self, predictions: Predictions) -> ModelFigures | None:
        """How right the model would be if it labelled the rest now."""
        threshold = (predictions.checkpoint or {}).get("threshold")
        if not isinstance(threshold, float):
            return None
        division = self.division(predictions, threshold)
        return {
            "threshold": threshold,
            "precision": precision_of(division, division.precision()),
            "recall": between(division.recall()),
        }

    def _calibration(self, predictions: Predictions) -> CalibrationFigures | None:
        """Whether so many of the drawn are positive as the model would have it: it has learnt none of them."""
        probability = self.probability(predictions)[self.counted.sample.images]
        is_known = ~np.isnan(probability)
        if not is_known.any():
            return None
        expected, low, high = expected_positives(probability[is_known].astype(np.float64))
        positives = int(self.counted.sample.is_positive[is_known].sum())
        return {
            "images": int(is_known.sum()),
            "positives": positives,
            "expected": expected,
            "low": low,
            "high": high,
        }

    def probability(self, predictions: Predictions) -> npt.NDArray[np.float32]:
        """Of each image; NaN where it is not scored."""
        known = np.asarray(predictions.probability)[: len(self.counted.unanswered)]
        unknown = np.full(len(self.counted.unanswered) - len(known), np.nan, np.float32)
        return np.concatenate([known, unknown])


def precision_of(division: Division, interval: tuple[float, float] | None) -> Precision | None:
    """An interval of the precision, and what it rests on."""
    if interval is None:
        return None
    return {**between(interval), "right": division.above.positives, "of": division.above.drawn}


@overload
def between(interval: Iterable[float]) -> Interval: ...
@overload
def between(interval: Iterable[float] | None) -> Interval | None: ...
def between(interval: Iterable[float] | None) -> Interval | None:
    """An interval as it is told."""
    if interval is None:
        return None
    low, high = interval
    return {"low": low, "high": high}
