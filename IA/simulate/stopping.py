"""Published stopping rules, to compare the certificate with, and the chance that a certificate is wrong at worst."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from IA.statistics.audit import CONFIDENCE, FAR, RECALL, Sample, ScreeningState

LOOK_EVERY = 10  # Rules that take long are applied after every tenth answer.
NEGLIGIBLE = 1e-18  # Smaller chances are taken for 0.
URNS = 40  # Quasi-sampling tries this many sizes of the sample at a time.


def negatives_in_a_row(labels: Sequence[bool], patience: int) -> int:
    """Stop after so many negatives in a row once a positive was found, as most people do; returns the answers."""
    in_a_row = 0
    found = False
    for number, label in enumerate(labels, 1):
        found = found or label
        in_a_row = in_a_row + 1 if found and not label else 0
        if in_a_row == patience:
            return number
    return len(labels)


def quasi_sampling(labels: Sequence[bool]) -> int:
    """Stop when the last answers, treated as a random sample, show that enough positives were found.

    Ranked quasi-sampling (Callaghan and Müller-Hansen 2020) treats the last 1, 2, ... answers as a random sample of the
    images that were left before them. That errs on the safe side as long as the model ranks better than chance.

    Args:
        labels: of all images, in the order in which the model asks.

    Returns:
        How many answers it takes.
    """
    images, found = len(labels), np.concatenate([[0], np.cumsum(labels)])
    sizes = np.unique(np.geomspace(1, images, URNS).astype(int)).tolist()
    for asked in range(LOOK_EVERY, images, LOOK_EVERY):
        total = math.floor(found[asked] / RECALL) + 1  # with so many positives, too few would be found
        for size in sizes if found[asked] else ():
            before = asked - size
            if before >= 0:
                urn = Sample(images - before, size, int(found[asked] - found[before]))
                if urn.is_below(int(total - found[before]), CONFIDENCE):
                    return asked
    return images


def quantile_bound(asked: Sequence[int], truth: NDArray[np.bool_], shuffled: Sequence[int]) -> tuple[int, int]:
    """Stop when the model has asked for all positives of a random sample that was answered before.

    QBCB (Lewis, Yang and Frieder 2021) answers a random sample with r positives; when the model has asked for the j-th
    of them, enough positives were found. For a recall of 95 % at 95 % confidence, r is at least 59, and then j is 59.

    Args:
        asked: all positives, and the images asked before the last of them, in the order in which the model asks.
        truth: (N,) bool.
        shuffled: all images in random order.

    Returns:
        How many answers it takes, and how many positives are found; all of them if there are too few positives for
        such a sample.
    """
    wanted = math.ceil(math.log(1 - CONFIDENCE) / math.log(RECALL))
    sampled = np.cumsum(truth[list(shuffled)])
    if sampled[-1] < wanted:
        return len(truth), int(sampled[-1])
    size = int(np.argmax(sampled >= wanted)) + 1
    sample = set(shuffled[:size])
    last = max(place for place, image in enumerate(asked) if truth[image] and image in sample)
    reviewed = list(asked[: last + 1])
    return size + len(set(reviewed) - sample), int(truth[reviewed].sum())


def chance_of_a_wrong_certificate(
    found: int,
    images: int,
    positives: int,
    certifies: Callable[[ScreeningState], bool] = ScreeningState.certifies,
    recall: float = RECALL,
) -> float:
    """The exact chance that a certificate is given too early if it is tested after every random answer.

    For each number of hits there is a number of draws from which on the certificate is given. It comes too early if,
    with a number of hits that is not enough, the next hit has not come by then. Only these few moments count, and the
    hits between two of them are hypergeometric.

    Args:
        found: positives that the model asked for.
        images: remaining images, from which the random questions are drawn.
        positives: among the remaining images.
        certifies: the rule; once it certifies, it must certify after more draws with the same hits too.
        recall: a certificate is right if at least this share of the positives was found.
    """
    enough = next(hits for hits in range(positives + 1) if found + hits >= recall * (found + positives))
    if not enough:
        return 0.0

    def is_given(drawn: int, hits: int) -> bool:
        return certifies(ScreeningState(found, Sample(images, drawn, hits)))

    given = [
        bisect_left(range(hits, images), True, key=partial(is_given, hits=hits)) + hits for hits in range(enough)
    ]  # by the number of hits, the first number of draws with which the certificate is given
    given = list(accumulate(reversed(given), min))[::-1]
    hits_at = _Hits(images, positives)
    wrong = 0.0
    for hits, drawn in enumerate(given):
        hits_at.draw_until(drawn, enough)
        wrong += hits_at.take(hits)
    return wrong


class _Hits:
    """The chance of each number of positives among the images drawn so far, without the chances taken out."""

    def __init__(self, images: int, positives: int) -> None:
        self._images = images
        self._positives = positives
        self._drawn = 0
        self._least = 0  # The first chance is that of so many hits.
        self._chances = np.ones(1)
        self._log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, images + 1)))])

    def draw_until(self, drawn: int, enough: int) -> None:
        """Draw until so many images are drawn; drop the chances of `enough` hits and more."""
        more, left = drawn - self._drawn, self._images - self._drawn
        if more <= 0 or not len(self._chances):
            return
        mean = more * (self._positives - self._least) / left
        most = self._least + len(self._chances) + math.ceil(mean + FAR * math.sqrt(mean) + FAR)
        before = np.arange(self._least, self._least + len(self._chances))[:, None]
        after = np.arange(self._least, min(most, enough))[None]
        positives, hits = self._positives - before, after - before
        negatives, others = left - positives, more - hits
        can_be = (hits >= 0) & (hits <= positives) & (others >= 0) & (others <= negatives)
        hits, others = np.where(can_be, hits, 0), np.where(can_be, others, 0)
        log_chance = (
            self._log_choose(positives, hits) + self._log_choose(negatives, others) - self._log_choose(left, more)
        )
        self._chances = self._chances @ np.where(can_be, np.exp(log_chance), 0.0)
        self._drawn = drawn
        self._trim()

    def take(self, hits: int) -> float:
        """Take out the chances of at most so many hits; returns their sum."""
        count = max(0, hits + 1 - self._least)
        taken = float(self._chances[:count].sum())
        self._chances, self._least = self._chances[count:], self._least + min(count, len(self._chances))
        return taken

    def _trim(self) -> None:
        """Drop chances that are less than rounding errors."""
        places = np.flatnonzero(self._chances > NEGLIGIBLE)
        first, last = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
        self._chances, self._least = self._chances[first:last], self._least + first

    def _log_choose(self, of: Any, take: Any) -> Any:
        table = self._log_factorial
        return table[of] - table[take] - table[of - take]
