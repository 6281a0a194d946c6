"""How suspicious an answer is: what a model that has not learnt it says against it, and haste; formulas only."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from statistics import NormalDist

WORTH = 0.5  # an answer of at least this suspicion is worth a look
# Nats for each deviation by which an answer is faster than the person's others; with more, fewer slips are found.
HASTE = 0.25
LEAST = 0.2  # without haste; the fastest of a million is 5 deviations away, which is not enough to make this 0.5
PACE_FROM = 20  # answers; fewer say nothing of what is fast
CERTAIN = 1e-6  # probabilities are kept this far from 0 and 1


def error_score(held_out: float, is_positive: bool, haste: float = 0.0) -> float:
    """How probably an answer is a slip, 0 to 1.

    Args:
        held_out: probability of positive by a model that has not learnt the answer.
        is_positive: what was answered.
        haste: how fast, of `Pace.haste`; 0 where that is not known.
    """
    against = min(max(1 - held_out if is_positive else held_out, CERTAIN), 1 - CERTAIN)
    logit = math.log(against / (1 - against)) + HASTE * haste
    return 1 / (1 + math.exp(-logit))


class Pace:
    """How fast a person usually answers."""

    def __init__(self, times: Iterable[float]) -> None:
        """Know the times of answers of one person with one label."""
        self._times = sorted(times)

    def haste(self, time: float) -> float:
        """The normal deviate of the place of one of these times among them: above 0 for the faster half.

        Only the order counts, so it does not matter how times are distributed; 0 where there are too few.
        """
        if len(self._times) < PACE_FROM:
            return 0.0
        place = (bisect_left(self._times, time) + bisect_right(self._times, time)) / 2
        return -NormalDist().inv_cdf(place / len(self._times))
