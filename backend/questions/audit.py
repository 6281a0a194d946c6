"""What random answers tell: positives left to find, the certificate, the model's precision and recall."""

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

RANDOM_ANSWERS = 50  # So many tell well enough how right the labels of the model would be.
REMAINING_FOR_EACH = 5  # Where few images remain, one random answer is needed for so many of them.


class Audit:
    """The figures of the audit at one moment.

    Attributes:
        counted: what they are counted from.
    """

    def __init__(self, counted: Counted, settings: Settings) -> None:
        self.counted = counted
        self._settings = settings
        self._open = int(counted.sample.is_open.sum())
        self._standing = counted.sample.screening(counted.positives)

    @property
    def has_enough_sampled(self) -> bool:
        """Whether questions need no longer all be drawn: there are enough random answers, or the certificate."""
        until = self._settings.audit_until
        if until is not None:
            return self._standing.remaining.images > 0 and self.random_left(until) == 0
        return self._standing.certifies(self._settings.recall, self._settings.confidence)

    def random_left(self, wanted: int) -> int:
        """How many more random answers it takes until there are `wanted`, or everything is answered."""
        return min(max(0, wanted - self._random_of(wanted)), self._open)

    @property
    def random(self) -> RandomAnswers:
        """How many random answers there are, and how many it takes before the model may label the rest.

        At most one of `REMAINING_FOR_EACH` remaining images is needed, so that the model can label the last few at all.
        """
        needed = min(RANDOM_ANSWERS, (self._open + self.counted.sampled) // REMAINING_FOR_EACH)
        return {"answered": self._random_of(needed), "needed": needed}

    def _random_of(self, wanted: int) -> int:
        """How many random answers count where `wanted` of them are wanted.

        The answers of the sample count, on which the figures rest. The sample ends before the first image in random
        order that somebody has been given and does not answer. So that nobody can hold up the others for good, the
        answers behind that image count too once there are twice as many as wanted.
        """
        drawn = self.counted.sampled
        return drawn if drawn >= 2 * wanted else len(self.counted.sample.images)

    @cached_property
    def _to_certificate(self) -> int:
        return self._standing.answers_to_certificate(self._settings.recall, self._settings.confidence)

    def short(self) -> AuditStatus:
        """The figures that the status shows."""
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
        """The figures that the statistics show.

        Args:
            asked: how many answers were to images drawn at random, whether the model has selected them since or not.
            predictions: of the model; None before the first.
        """
        rest, positives = self._standing.remaining, self._standing.positives()
        all_images = self.counted.answered + self._open
        prevalence = [count / all_images for count in positives] if all_images else None
        return {
            **self.short(),
            "asked": asked,
            "rest": {"images": rest.images, "drawn": rest.sampled, "positives": rest.positives},
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
        """How right the model would be if it labelled the remaining images now."""
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
        """How many images of the sample are positive, and how many the model expects: it has learnt none of them."""
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
        """The probability of each image, (N,); NaN where it is not scored."""
        known = np.asarray(predictions.probability)[: len(self.counted.unanswered)]
        unknown = np.full(len(self.counted.unanswered) - len(known), np.nan, np.float32)
        return np.concatenate([known, unknown])


def precision_of(division: Division, interval: tuple[float, float] | None) -> Precision | None:
    """An interval of the precision in JSON, and the counts that it rests on."""
    if interval is None:
        return None
    return {**between(interval), "right": division.above.positives, "of": division.above.sampled}


@overload
def between(interval: Iterable[float]) -> Interval: ...
@overload
def between(interval: Iterable[float] | None) -> Interval | None: ...
def between(interval: Iterable[float] | None) -> Interval | None:
    """An interval in JSON."""
    if interval is None:
        return None
    low, high = interval
    return {"low": low, "high": high}
