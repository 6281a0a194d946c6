"""Published rules for when to stop, to compare the certificate with; and how often a certificate is wrong at worst."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from IA.audit import CONFIDENCE, RECALL, Sample, Standing

LOOK_EVERY = 10  # answers, for rules that take long to look
URNS = 40  # of different sizes, at each look


def negatives_in_a_row(labels: Sequence[bool], patience: int) -> int:
    """Answers until so many negatives have come in a row after the first positive: what most people do."""
    in_a_row = 0
    found = False
    for number, label in enumerate(labels, 1):
        found = found or label
        in_a_row = in_a_row + 1 if found and not label else 0
        if in_a_row == patience:
            return number
    return len(labels)


def quasi_sampling(labels: Sequence[bool]) -> int:
    """Answers until the last ones, taken as though they were a random sample, say that enough were found.

    Ranked quasi-sampling (Callaghan and Müller-Hansen 2020): the last 1, 2, ... answers are taken as drawn at random
    from what was left before them, which errs on the safe side as long as the model ranks better than chance.

    Args:
        labels: of all images, in the order that the model asks.
    """
    images, found = len(labels), np.concatenate([[0], np.cumsum(labels)])
    sizes = np.unique(np.geomspace(1, images, URNS).astype(int)).tolist()
    for asked in range(LOOK_EVERY, images, LOOK_EVERY):
        total = math.floor(found[asked] / RECALL) + 1  # so many positives would be too many
        for size in sizes if found[asked] else ():
            before = asked - size
            if before >= 0:
                urn = Sample(images - before, size, int(found[asked] - found[before]))
                if urn.is_below(int(total - found[before]), CONFIDENCE):
                    return asked
    return images


def quantile_bound(asked: Sequence[int], truth: NDArray[np.bool_], shuffled: Sequence[int]) -> tuple[int, int]:
    """Answers, and positives found, until the model has asked for all positives of a random sample made before.

    QBCB (Lewis, Yang and Frieder 2021): a sample with r positives; when the model has asked for the j-th of them,
    enough were found. For 95 % at 95 % confidence r is at least 59, and j = 59 then.

    Args:
        asked: all positives, and the images asked before the last of them, in the order that the model asks.
        truth: (N,) bool.
        shuffled: all images in random order.

    Returns:
        All of them where there are too few positives for such a sample.
    """
    wanted = math.ceil(math.log(1 - CONFIDENCE) / math.log(RECALL))
    drawn = np.cumsum(truth[list(shuffled)])
    if drawn[-1] < wanted:
        return len(truth), int(drawn[-1])
    size = int(np.argmax(drawn >= wanted)) + 1
    sample = set(shuffled[:size])
    last = max(place for place, image in enumerate(asked) if truth[image] and image in sample)
    reviewed = list(asked[: last + 1])
    return size + len(set(reviewed) - sample), int(truth[reviewed].sum())


def chance_of_a_wrong_certificate(
    found: int, images: int, positives: int, certifies: Callable[[Standing], bool] = Standing.certifies
) -> float:
    """How often a certificate is given too early where one looks after every random answer; exact, no simulation.

    Args:
        found: positives that the model asked for.
        images: in the rest, from which is drawn.
        positives: among them.
        certifies: the rule.
    """
    undecided, wrong = {0: 1.0}, 0.0  # chance to be there without a certificate, by the positives drawn so far
    for drawn in range(images):
        after: dict[int, float] = {}
        for hits, chance in undecided.items():
            share = (positives - hits) / (images - drawn)
            after[hits + 1] = after.get(hits + 1, 0.0) + chance * share
            after[hits] = after.get(hits, 0.0) + chance * (1 - share)
        undecided = {}
        for hits, chance in after.items():
            is_enough = found + hits >= RECALL * (found + positives)
            if is_enough or chance <= 0:
                continue  # a certificate is right from here on
            if certifies(Standing(found, Sample(images, drawn + 1, hits))):
                wrong += chance
            else:
                undecided[hits] = chance
        if not undecided:
            break
    return wrong
