"""What to ask next: the ranking less what is answered, gone, unreadable or in another person's hands."""

import math
import random
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from IA.protocol import Array, Ranking

LEASE_S = 60.0
LOOK_AT = 4096  # places of an order at a time
FORGET_FROM = 10_000  # leases; then those that are over and answered are dropped


class Closed(IntFlag):
    """Why an image is not to be asked."""

    ANSWERED = 1
    GONE = 2
    UNREADABLE = 4


@dataclass(frozen=True)
class Lease:
    """An image that was handed to a client, with the probability it was shown."""

    client: str
    until_s: float
    probability: float | None


class Queue:
    """The order of questions for all clients; every method may be called from any thread."""

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._closed = bytearray()
        self._shuffled = array("i")
        self._left = 0
        self._ranked: Array = memoryview(b"").cast("i")
        self._ranked_probability: Array = memoryview(b"").cast("f")
        self._probability: Array = memoryview(b"").cast("f")
        self._starts = [0, 0]  # what stands before these places in ranking and shuffled order is closed
        self._leases: dict[int, Lease] = {}
        self._forget_from = FORGET_FROM

    @property
    def left(self) -> int:
        """How many images are still to be asked."""
        return self._left

    def mark(self, image: int, reason: Closed, on: bool) -> None:
        """Close an image for a reason, or open it again for that reason; new numbers join the shuffled order."""
        with self._lock:
            while image >= len(self._closed):
                self._join(len(self._closed))
            before = self._closed[image]
            after = before | reason if on else before & ~reason
            self._closed[image] = after
            self._left += (after == 0) - (before == 0)
            if before and not after:
                self._starts = [0, 0]

    def _join(self, image: int) -> None:
        """Put a new image at a random place, so that the order is a fair shuffle at any moment."""
        place = self._random.randrange(image + 1)
        self._shuffled.append(image)
        self._shuffled[image], self._shuffled[place] = self._shuffled[place], image
        self._starts[1] = 0
        self._closed.append(0)
        self._left += 1

    def rank(self, ranking: Ranking) -> None:
        """Follow a new ranking from now on."""
        with self._lock:
            self._ranked, self._ranked_probability = ranking.images, ranking.probability
            self._starts[0] = 0

    def score(self, probability: Array) -> None:
        """Know the probability of each image, NaN where there is none, also of those already answered."""
        self._probability = probability

    def probability(self, image: int, client: str | None = None) -> float | None:
        """The probability shown to this client, else the newest; None where the model has not scored it."""
        lease = self._leases.get(image)
        if lease is not None and lease.client == client:
            return lease.probability
        return _finite(self._probability[image]) if image < len(self._probability) else None

    def next(self, client: str, count: int) -> list[tuple[int, float | None]]:
        """Hand out images, best first; for `LEASE_S` nobody else is given them.

        Returns:
            At most `count` pairs of image and its probability; fewer when fewer are left.
        """
        with self._lock:
            now_s = self._clock()
            chosen: dict[int, float | None] = {}
            for image, probability in self._open():
                lease = self._leases.get(image)
                if image in chosen or (lease and lease.client != client and lease.until_s > now_s):
                    continue
                chosen[image] = probability
                if len(chosen) == count:
                    break
            for image, probability in chosen.items():
                self._leases[image] = Lease(client, now_s + LEASE_S, probability)
            if len(self._leases) > self._forget_from:
                self._forget(now_s)
            return list(chosen.items())

    def _forget(self, now_s: float) -> None:
        """Drop the leases that are over; one of an answered image counts until then, for the answer may be undone."""
        kept = {i: lease for i, lease in self._leases.items() if lease.until_s > now_s or not self._closed[i]}
        self._leases, self._forget_from = kept, max(FORGET_FROM, 2 * len(kept))

    def hold(self, image: int, client: str) -> None:
        """Hand out this very image, unless somebody else has it: the client sees it again, for an undo took it back."""
        with self._lock:
            lease, now_s = self._leases.get(image), self._clock()
            if lease is None or lease.client == client or lease.until_s <= now_s:
                self._leases[image] = Lease(client, now_s + LEASE_S, self.probability(image, client))

    def is_open(self, image: int) -> bool:
        """Whether an image is to be asked."""
        return image < len(self._closed) and not self._closed[image]

    def head(self, count: int) -> list[int]:
        """The images that come next, whoever holds them; nothing is handed out."""
        with self._lock:
            images: dict[int, None] = {}
            for image, _ in self._open():
                images[image] = None
                if len(images) == count:
                    break
            return list(images)

    def _open(self) -> Iterator[tuple[int, float | None]]:
        """Images to ask: as ranked, then in shuffled order those that the ranking does not know yet."""
        for which, order in enumerate((self._ranked, self._shuffled)):
            at_start = True
            for start in range(self._starts[which], len(order), LOOK_AT):
                places = start + self._places(order[start : start + LOOK_AT])
                if at_start:
                    self._starts[which] = int(places[0]) if len(places) else min(start + LOOK_AT, len(order))
                    at_start = not len(places)
                for place in places.tolist():
                    image = order[place]
                    yield image, _finite(self._ranked_probability[place]) if which == 0 else self.probability(image)

    def _places(self, order: Array) -> npt.NDArray[Any]:
        """Where in this part of an order an image is to be asked; a ranking may name some that are not known yet."""
        images, closed = np.asarray(order), np.frombuffer(self._closed, np.uint8)
        known = np.flatnonzero(images < len(closed))
        places: npt.NDArray[Any] = known[closed[images[known]] == 0]
        return places


def _finite(probability: float) -> float | None:
    return None if math.isnan(probability) else probability
