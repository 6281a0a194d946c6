"""The doubtful images: those whose probability is around a threshold, the nearest first."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TIMES = 4.0  # The odds of a doubtful image are at most so many times those of the threshold, or its inverse.
EACH_SIDE = 100  # At most so many images are asked on each side of the threshold.
SURE = 0.001  # A threshold nearer to 0 or 1 counts as this one, so that there is a band around it.
LEAST = 1e-7  # A probability nearer to 0 or 1 counts as this one, so that its logit is finite.

Numbers = npt.NDArray[np.integer]
Probabilities = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Doubtful:
    """A band of probability around a threshold.

    Attributes:
        low: the least probability in it.
        high: the greatest.
        threshold: images whose probability is nearest to it, in logits, come first.
    """

    low: float
    high: float
    threshold: float

    @classmethod
    def around(cls, threshold: float) -> "Doubtful":
        """The usual band: odds of a quarter to four times those of the threshold, which is .2 to .8 around .5.

        It follows from the threshold alone. It must not follow from what was drawn at random, because its images become
        the ones that the model asks.
        """
        odds = _odds(min(max(threshold, SURE), 1 - SURE))
        return cls(_share(odds / TIMES), _share(odds * TIMES), threshold)

    def holds(self, probability: Probabilities) -> npt.NDArray[np.bool_]:
        """Whether each of these probabilities is in the band; NaN is not."""
        return (probability >= self.low) & (probability <= self.high)

    def nearest(self, images: Numbers, probability: Probabilities) -> Numbers:
        """Those of these images that are in the band, the nearest to the threshold first.

        Args:
            images: (n,) numbers.
            probability: (N,) of all images; NaN where not scored.
        """
        inside = images[self.holds(probability[images])]
        return inside[np.argsort(self._distance(probability[inside]), kind="stable")]

    def to_ask(self, probability: Probabilities, remaining: npt.NDArray[np.bool_]) -> Numbers:
        """All images that are asked next, answered or not, the nearest to the threshold first.

        On each side there are so many that `EACH_SIDE` of them remain. An image that was drawn at random remains as if
        it had no answer, so neither the images nor their order depend on the draw.

        Args:
            probability: (N,) of all images; NaN where not scored.
            remaining: (N,) whether the model may still ask for it.
        """
        inside = self.nearest(np.arange(len(probability)), probability)
        is_above = probability[inside] >= np.float32(self.threshold)
        sides = [inside[side][np.cumsum(remaining[inside[side]]) <= EACH_SIDE] for side in (is_above, ~is_above)]
        return self.nearest(np.concatenate(sides), probability)

    def _distance(self, probability: Probabilities) -> npt.NDArray[np.float64]:
        """How far each probability is from the threshold, in logits."""
        threshold = min(max(self.threshold, LEAST), 1 - LEAST)
        sure = np.clip(probability.astype(np.float64), LEAST, 1 - LEAST)
        return np.abs(np.log(sure / (1 - sure)) - math.log(_odds(threshold)))


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _share(odds: float) -> float:
    return odds / (1 + odds)
