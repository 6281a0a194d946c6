"""Which questions are drawn at random, and what may be counted of them.

The model knows nothing of the draw: this module and what asks it hold to that. An image that was drawn and answered
keeps its place in the ranking, and the model does not learn its answer. The model selects it once an image behind it is
answered: it would have asked for it by then. From then on it is no longer part of the sample, and its answer may be
learnt. So the images that the model has selected do not depend on what was drawn, and of all the others those that were
drawn are a simple random sample.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backend.questions.states import is_to_pass
from IA.duplicates.groups import LABELLED, ImageState, Numbers, States, is_sampled
from IA.statistics.draw import AuditSample, RandomOrder

CLIENTS_AT_MOST = 1000  # whose coins are remembered

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Counted:
    """The images as the audit sees them: near duplicates are one, by the image that stands for them.

    Attributes:
        answered: how many have a positive or a negative answer.
        positives: how many of them have a positive one.
        sampled: how many were drawn and answered that the model has not selected, wherever they stand in random order.
        sample: those of them that are a random sample.
        remaining: (N,) those that the model may still ask for: open ones, and those that were drawn without its
            knowledge.
        unanswered: (N,) all images still to be asked; here near duplicates are each for itself.
    """

    answered: int
    positives: int
    sampled: int
    sample: AuditSample
    remaining: Flags
    unanswered: Flags


class Draws:
    """The coins that decide which questions are drawn, and the order in which images are; not for several threads.

    Attributes:
        share: of the questions that are drawn, 0 to 1; it may be set at any time.
    """

    def __init__(self, seed: int, share: float, toss: Callable[[], float]) -> None:
        """Begin without any image.

        Args:
            seed: of the random order.
            share: of the questions that are drawn.
            toss: a random number from 0 to 1, another one at each call, also after a restart.
        """
        self.share = share
        self._toss = toss
        self._order = RandomOrder(seed)
        self._coins: dict[str, deque[float]] = {}  # for each client one coin for each of its next questions

    def grow(self, images: int) -> None:
        """Give new images their random places as they come: a million at once would take a second."""
        self._order.of(images)

    def order(self, images: int) -> Numbers:
        """The numbers of so many images in the order in which they are drawn, (N,); copy it before the lock is left."""
        return np.frombuffer(self._order.of(images), np.int32)

    def coins(self, client: str, count: int) -> list[bool]:
        """Whether each of the next questions to a client is drawn: the same ones until they are answered."""
        coins = self._coins.setdefault(client, deque())
        while len(coins) < count:
            coins.append(self._toss())
        if len(self._coins) > CLIENTS_AT_MOST:
            del self._coins[next(iter(self._coins))]
        return [coins[place] < self.share for place in range(count)]

    def spend(self, client: str, was_drawn: bool) -> None:
        """Take away a coin whose question has been answered: the first of its kind, for pages may change the order."""
        coins = self._coins.get(client, deque())
        for place, coin in enumerate(coins):
            if (coin < self.share) == was_drawn:
                del coins[place]
                return


def counted(images: States, units: States, order: Numbers) -> Counted:
    """What the audit counts.

    Args:
        images: (N,) the state of each image.
        units: (N,) the state of each unit.
        order: (N,) numbers in the order in which they are drawn.
    """
    sampled, positive = is_sampled(units), units & int(ImageState.POSITIVE) != 0
    return Counted(
        answered=int((units & LABELLED != 0).sum()),
        positives=int(positive.sum()),
        sampled=int(sampled.sum()),
        sample=AuditSample.from_order(order, units == 0, sampled, positive),
        remaining=is_to_pass(units),
        unanswered=images == 0,
    )
