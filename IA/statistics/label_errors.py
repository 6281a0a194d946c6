"""How probably an answer is an error: by a model that has not learnt it, and by the haste of the person."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from statistics import NormalDist

WORTH = 0.5  # an answer with at least this error score is worth a second look
# Each standard deviation by which an answer is faster than the person's others adds this many nats to the logit of the
# error score. A larger weight finds fewer errors.
HASTE = 0.25
# An answer with a lower score before haste never reaches WORTH: even the fastest answer of a million is only 5 standard
# deviations faster.
LEAST = 0.2
PACE_FROM = 20  # fewer answers do not show what is fast
CERTAIN = 1e-6  # probabilities are kept this far from 0 and 1


def error_score(held_out: float, is_positive: bool, haste: float = 0.0) -> float:
    """How probably an answer is an error, 0 to 1.

    Args:
        held_out: probability of positive by a model that has not learnt the answer.
        is_positive: what the person answered.
        haste: how fast the answer was, by `Pace.haste`; 0 if nobody knows.
    """
    against = min(max(1 - held_out if is_positive else held_out, CERTAIN), 1 - CERTAIN)
    logit = math.log(against / (1 - against)) + HASTE * haste
    return 1 / (1 + math.exp(-logit))


class Pace:
    """How fast a person usually answers."""

    def __init__(self, times: Iterable[float]) -> None:
        """Take the times of all answers of one person with one label."""
        self._times = sorted(times)

    def haste(self, time: float) -> float:
        """The rank of one of these times as a normal deviate: above 0 for the faster half.

        Only the order counts, so the distribution of the times does not matter. 0 if there are too few times.
        """
        if len(self._times) < PACE_FROM:
            return 0.0
        place = (bisect_left(self._times, time) + bisect_right(self._times, time)) / 2
        return -NormalDist().inv_cdf(place / len(self._times))
