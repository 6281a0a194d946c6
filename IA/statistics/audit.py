"""What a random sample says about the images that the model has not asked for: counts with intervals.

The answers to questions that the model chose are not a random sample. So the server samples a few questions at random,
and the model does not learn their answers. The draw knows nothing of the model and the model nothing of the draw.
Therefore the sampled images are a simple random sample, without replacement, of all images that the model has not asked
for, and the number of positives among these has an exact interval (Buonaccorsi 1987, by inversion of the hypergeometric
test; Clopper and Pearson 1934 for the infinite case). Sums of the model's probabilities have no such interval.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
RECALL = 0.95
# The certificate is tested after every answer. To keep the overall error, each test may use 1 / LOOKS of it, and less
# if many positives may be left, because the tests are then less correlated (`looks`, docs/concepts/statistics.md).
LOOKS = 1.08
LOOKS_GROWTH = 1.1
LOOKS_SCALE = 16
Z = 1.959964  # the normal quantile of a two-sided interval of 95 %
FEW = 32  # Python adds so few terms faster than numpy
FAR = 12  # terms beyond this many standard deviations are smaller than rounding


@dataclass(frozen=True)
class Sample:
    """A simple random sample without replacement.

    Attributes:
        images: how many images there are.
        sampled: how many of them were sampled.
        positives: how many of the sampled images are positive.
    """

    images: int
    sampled: int
    positives: int

    def __post_init__(self) -> None:
        if not 0 <= self.positives <= self.sampled <= self.images:
            raise ValueError(f"{self.positives} positives among {self.sampled} sampled of {self.images} images.")

    @property
    def fewest(self) -> int:
        """The smallest possible number of positives: those in the sample."""
        return self.positives

    @property
    def most(self) -> int:
        """The largest possible number of positives: those in the sample and all images outside of it."""
        return self.images - self.sampled + self.positives

    def interval(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Two-sided interval of the number of positives; it covers the true number at least with this confidence."""
        each = (1 - confidence) / 2
        return self.at_least(1 - each), self.at_most(1 - each)

    def at_most(self, confidence: float = CONFIDENCE) -> int:
        """One-sided upper bound: the largest number of positives for which a sample with so few is still likely."""
        return _at_most(self, confidence)

    def at_least(self, confidence: float = CONFIDENCE) -> int:
        """One-sided lower bound: the smallest number of positives for which a sample with so many is still likely."""
        mirrored = Sample(self.images, self.sampled, self.sampled - self.positives)
        return self.images - mirrored.at_most(confidence)

    def is_below(self, count: int, confidence: float = CONFIDENCE) -> bool:
        """Whether the sample shows, with this confidence, that there are fewer positives than `count`."""
        return count > self.most or (count > self.fewest and self.chance_of_so_few(count) <= 1 - confidence)

    def chance_of_so_few(self, count: int) -> float:
        """The chance of at most `positives` in the sample if `count` of the images are positive (hypergeometric)."""
        images, sampled = self.images, self.sampled
        first = max(0, sampled - (images - count))
        last = min(self.positives, count, sampled)
        if last < first:
            return 0.0
        if last == min(count, sampled):
            return 1.0
        mean = sampled * count / images
        far = FAR * math.sqrt(mean * (1 - count / images)) + 5 * FAR
        if last > mean + far:
            return 1.0
        first = max(first, math.floor(min(last, mean) - far))
        log_chance = (
            _log_choose(count, last) + _log_choose(images - count, sampled - last) - _log_choose(images, sampled)
        )
        if last - first < FEW:
            total = chance = math.exp(log_chance)
            for hits in range(last, first, -1):
                chance *= hits * (images - count - sampled + hits) / ((count - hits + 1) * (sampled - hits + 1))
                total += chance
            return min(total, 1.0)
        many = np.arange(last, first, -1, dtype=np.float64)  # each chance follows from its ratio to the one before
        ratios = many * (images - count - sampled + many) / ((count - many + 1) * (sampled - many + 1))
        log_chances = log_chance + np.concatenate([[0.0], np.cumsum(np.log(ratios))])
        return min(float(np.exp(log_chances).sum()), 1.0)


def looks(known: int, recall: float = RECALL) -> float:
    """By what to divide the error of each test, so that testing after every answer errs no more often than one test.

    The divisor grows with the number of positives that may be left, which is `known` * (1 - recall) / recall.
    """
    return LOOKS + LOOKS_GROWTH * math.log1p(known * (1 - recall) / recall / LOOKS_SCALE)


@dataclass(frozen=True)
class ScreeningState:
    """How far the work is: what the model asked for, and a sample of the remaining images.

    Attributes:
        found: positives among the images that the model asked for.
        remaining: the sample of the images that it has not asked for.
    """

    found: int
    remaining: Sample

    @property
    def known(self) -> int:
        """How many positives a person has seen, whether the model asked for them or the draw."""
        return self.found + self.remaining.positives

    def positives(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Interval of the number of all positives."""
        low, high = self.remaining.interval(confidence)
        return self.found + low, self.found + high

    def to_find(self, confidence: float = CONFIDENCE) -> tuple[int, int]:
        """Interval of the number of positives that nobody has seen yet."""
        low, high = self.positives(confidence)
        return low - self.known, high - self.known

    def recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of the positives that a person has seen; None if there may be no positive at all."""
        low, high = self.positives(confidence)
        return (self.known / high, self.known / low) if low else None

    def certifies(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> bool:
        """Whether at least this share of the positives has been seen, with this confidence, however often one tests.

        This is the test of `certifies_once` with the error divided by `looks`, which allows for a test after every
        answer. docs/concepts/statistics.md has the simulated error rates.
        """
        return self.certifies_once(recall, 1 - (1 - confidence) / looks(self.known, recall))

    def certifies_once(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> bool:
        """As `certifies`, for a single test at a time that was fixed before anything was sampled.

        The test is one-sided, against too many positives among the remaining images (Callaghan and Müller-Hansen 2020).
        """
        if self.remaining.positives == self.remaining.most:
            return self.known > 0 or self.remaining.images > 0
        too_many = math.floor(self.known / recall) - self.found + 1
        return self.known > 0 and self.remaining.is_below(too_many, confidence)

    def answers_to_certificate(self, recall: float = RECALL, confidence: float = CONFIDENCE) -> int:
        """How many more random answers a certificate takes, if positives are as frequent among them as so far."""
        remaining = self.remaining
        rate = remaining.positives / remaining.sampled if remaining.sampled else 0.0

        def lacks(more: int) -> bool:
            sampled = remaining.sampled + more
            hits = min(remaining.positives + math.floor(rate * more), sampled)
            return not ScreeningState(self.found, Sample(remaining.images, sampled, hits)).certifies(recall, confidence)

        if not lacks(0):
            return 0
        return _last(0, remaining.images - remaining.sampled, lacks) + 1


@dataclass(frozen=True)
class Division:
    """What the remaining images become if the model labels them by its threshold.

    Both parts have a sample of their own, because the model knows nothing of the draw. If a figure needs both parts,
    each interval may err half as often (Bonferroni).

    Attributes:
        found: positives among the images that the model asked for.
        above: the part that becomes positive.
        below: the part that becomes negative.
    """

    found: int
    above: Sample
    below: Sample

    def precision(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of positives among the images that become positive; None if no image does."""
        if not self.above.images:
            return None
        low, high = self.above.interval(confidence)
        return low / self.above.images, high / self.above.images

    def recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """Interval of the share of all positives that were found or become positive; None if there may be none."""
        return self._recall(self.found, 0, confidence)

    def labelled_precision(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """As `precision`, but only among images that nobody has seen, since only these are given the model's label."""
        unseen = self.above.images - self.above.sampled
        if not unseen:
            return None
        low, high = self.above.interval(confidence)
        return (low - self.above.positives) / unseen, (high - self.above.positives) / unseen

    def labelled_recall(self, confidence: float = CONFIDENCE) -> tuple[float, float] | None:
        """As `recall`, but the positives in the sample of `below` count as found: a person has answered them."""
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
    """How many positives there would be if these probabilities were right, and the range of 95 % around that number.

    The number is Poisson-binomial. The range is that of a normal distribution, wider by a half on either side because
    the number is whole (continuity correction).
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
    """The largest number from `low` to `high` for which `holds` is true; it is true for `low` and monotone."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
