"""What a random sample says about the images that were never asked: counts with intervals, never sums of scores.

The person's answers to what the model chose are no sample of anything. So a few questions are drawn at random, and the
model does not learn them. Of `rest` images that the model has not asked for yet, `sampled` have been drawn, and
`positives` of those are positive: as the draw knows nothing of the model, and the model nothing of the draw, that is a
simple random sample without replacement, and the number of positives in the rest has an exact interval (Buonaccorsi
1987, by inversion of the hypergeometric test; Clopper and Pearson 1934 for the infinite case).
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RECALL = 0.95
LOOKS = 1.08  # a certificate is looked for after every answer: each look may err so much less (docs/concepts/),
LOOKS_GROWTH = 1.1  # and less still where many positives may be left: then there are more looks unlike one another
LOOKS_SCALE = 16
Z = 1.959964  # of a two-sided interval of 95 %
FEW = 32  # terms, which are added sooner than numpy has begun
FAR = 12  # standard deviations: what lies beyond is less than rounding


@dataclass(frozen=True)
class Sample:
    """A simple random sample without replacement.

    Attributes:
        images: how many there are.
        drawn: how many of them were drawn.
        positives: how many of the drawn ones are positive.
    """

    images: int
    drawn: int
    positives: int

    def __post_init__(self) -> None:
        if not 0 <= self.positives <= self.drawn <= self.images:
            raise ValueError(f"{self.positives} positives among {self.drawn} drawn of {self.images} images.")

    @property
    def fewest(self) -> int:
        """Positives there are in any case: those that were drawn."""
        return self.positives

    @property
    def most(self) -> int:
        """Positives there can be at most: all that were not drawn, too."""
        return self.images - self.drawn + self.positives

    def interval(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Two-sided interval of the number of positives; covers at least so often as `confidence` says."""
        each = (1 - confidence) / 2
        return self.at_least(1 - each), self.at_most(1 - each)

    def at_most(self, confidence: float = CONFIDENCE) -> int:
        """The upper bound alone: the largest number of positives with which so few would still be drawn."""
        return _at_most(self, confidence)

    def at_least(self, confidence: float = CONFIDENCE) -> int:
        """The lower bound alone: the smallest number of positives with which so many would still be drawn."""
        mirrored = Sample(self.images, self.drawn, self.drawn - self.positives)
        return self.images - mirrored.at_most(confidence)

    def is_below(self, count: int, confidence: float = CONFIDENCE) -> bool:
        """Whether there are fewer positives than this, as so few were drawn."""
        return count > self.most or (count > self.fewest and self.chance_of_so_few(count) <= 1 - confidence)

    def chance_of_so_few(self, count: int) -> float:
        """Chance to draw at most `positives` where `count` of the images are positive (hypergeometric)."""
        images, drawn = self.images, self.drawn
        first = max(0, drawn - (images - count))
        last = min(self.positives, count, drawn)
        if last < first:
            return 0.0
        if last == min(count, drawn):
            return 1.0
        mean = drawn * count / images
        far = FAR * math.sqrt(mean * (1 - count / images)) + 5 * FAR
        if last > mean + far:
            return 1.0
        first = max(first, math.floor(min(last, mean) - far))
        log_chance = _log_choose(count, last) + _log_choose(images - count, drawn - last) - _log_choose(images, drawn)
        if last - first < FEW:
            total = chance = math.exp(log_chance)
            for hits in range(last, first, -1):
                chance *= hits * (images - count - drawn + hits) / ((count - hits + 1) * (drawn - hits + 1))
                total += chance
            return min(total, 1.0)
        many = np.arange(last, first, -1, dtype=np.float64)  # each chance by its ratio to the one before
        ratios = many * (images - count - drawn + many) / ((count - many + 1) * (drawn - many + 1))
        log_chances = log_chance + np.concatenate([[0.0], np.cumsum(np.log(ratios))])
        return min(float(np.exp(log_chances).sum()), 1.0)


def looks(known: int, recall: float = RECALL) -> float:
    """How many times less each look may err, so that looking after every answer errs no more than a single look may.

    It grows with the number of positives that may be left, `known` (1 - recall) / recall, whatever the recall is.
    """
    return LOOKS + LOOKS_GROWTH * math.log1p(known * (1 - recall) / recall / LOOKS_SCALE)


@dataclass(frozen=True)
class ScreeningState:
    """How far the work is: what the model asked for, and a sample of the rest.

    Attributes:
        found: positives among the images that the model asked for.
        rest: the images that it has not asked for, and what was drawn from them.
    """

    found: int
    rest: Sample

    @property
    def known(self) -> int:
        """Positives that have been seen, whoever asked for them."""
        return self.found + self.rest.positives

    def positives(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Interval of the number of positives there are in all."""
        low, high = self.rest.interval(confidence)
        return self.found + low, self.found + high

    def to_find(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Interval of the number of positives that nobody has seen."""
        low, high = self.positives(confidence)
        return low - self.known, high - self.known

    def recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of positives that has been seen; None where there may be none at all."""
        low, high = self.positives(confidence)
        return (self.known / high, self.known / low) if low else None

    def certifies(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> bool:
        """Whether so many of the positives have been seen, with this confidence, however often one asks.

        The same test as at one look, at so much smaller an error that looking after every answer is accounted for:
        docs/concepts/statistics.md has the chances.
        """
        return self.certifies_once(recall, 1 - (1 - confidence) / looks(self.known, recall))

    def certifies_once(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> bool:
        """The same for a single look, at a time that was fixed before anything was drawn.

        One-sided test against too many positives left in the sampled rest (Callaghan and Müller-Hansen 2020), on a
        sample that is one.
        """
        if self.rest.positives == self.rest.most:
            return self.known > 0 or self.rest.images > 0
        too_many = math.floor(self.known / recall) - self.found + 1
        return self.known > 0 and self.rest.is_below(too_many, confidence)

    def answers_to_certificate(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> int:
        """How many more random answers it takes, if positives come among them as before."""
        rest = self.rest
        rate = rest.positives / rest.drawn if rest.drawn else 0.0

        def lacks(more: int) -> bool:
            drawn = rest.drawn + more
            hits = min(rest.positives + math.floor(rate * more), drawn)
            return not ScreeningState(self.found, Sample(rest.images, drawn, hits)).certifies(recall, confidence)

        if not lacks(0):
            return 0
        return _last(0, rest.images - rest.drawn, lacks) + 1


@dataclass(frozen=True)
class Division:
    """What becomes of the rest if the model labels it, by its threshold.

    Each part has a sample of its own: the model knows nothing of the draw. Where a figure needs both parts, each
    interval may err half as often (Bonferroni).

    Attributes:
        found: positives among the images that the model asked for.
        above: the part that becomes positive.
        below: the part that becomes negative.
    """

    found: int
    above: Sample
    below: Sample

    def precision(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of positives among what becomes positive; None where nothing does."""
        if not self.above.images:
            return None
        low, high = self.above.interval(confidence)
        return low / self.above.images, high / self.above.images

    def recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of all positives that were found or become positive; None where there may be none."""
        return self._recall(self.found, 0, confidence)

    def labelled_precision(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """The same as `precision`, of those alone that nobody has seen: they are what is given the model's label."""
        unseen = self.above.images - self.above.drawn
        if not unseen:
            return None
        low, high = self.above.interval(confidence)
        return (low - self.above.positives) / unseen, (high - self.above.positives) / unseen

    def labelled_recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """The same as `recall`, where the positives drawn from `below` count as found: their answers stand."""
        return self._recall(self.found + self.below.positives, self.below.positives, confidence)

    def _recall(self, found: int, seen_below: int, confidence: float) -> tuple[float, float] | None:
        each = 1 - (1 - confidence) / 2
        (right_low, right_high), (missed_low, missed_high) = self.above.interval(each), self.below.interval(each)
        low, high = found + right_low, found + right_high
        missed_low, missed_high = missed_low - seen_below, missed_high - seen_below
        if not low + missed_high:
            return None
        return low / (low + missed_high), high / (high + missed_low) if high + missed_low else 1.0


def expected_positives(probabilities: NDArray[np.floating]) -> tuple[float, int, int]:
    """How many positives there would be if these probabilities were right, and the range of 95 % around it.

    Their number is Poisson-binomial; its range is that of the normal distribution, a half wider on either side as it is
    a whole number (continuity correction).
    """
    expected = float(probabilities.sum())
    half = Z * math.sqrt(float((probabilities * (1 - probabilities)).sum())) + 0.5
    low, high = math.ceil(expected - half), math.floor(expected + half)
    return expected, max(0, low), min(len(probabilities), high)


def wilson(successes: int, trials: int) -> tuple[float, float] | tuple[None, None]:
    """The 95 % score interval of a proportion (Wilson 1927); None without any trial."""
    if not trials:
        return None, None
    share, z2 = successes / trials, Z * Z
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    low = middle - half if successes else 0.0  # exactly, whatever rounding says
    return low, middle + half if successes < trials else 1.0


@functools.lru_cache(maxsize=64)  # several figures rest on the same bounds
def _at_most(sample: Sample, confidence: float) -> int:
    return _last(sample.fewest, sample.most, lambda count: not sample.is_below(count, confidence))


def _log_choose(of: int, take: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(take + 1) - math.lgamma(of - take + 1)


def _last(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The last number from `low` on for which it still holds; it holds for `low`, and never again once it does not."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
