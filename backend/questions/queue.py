"""What to ask next: the ranking less what is answered, gone, unreadable or in another person's hands.

A share of the questions is drawn at random instead, from all images that are open. What the model has not asked for is
the rest, and what was drawn of it a simple random sample, as long as the model knows nothing of the draw. So an image
that was drawn and answered keeps its place in the ranking, and is not learnt. Where it is passed on the way to an image
that is then answered, the model would have asked for it: it is reached, leaves the sample, and may be learnt.

Near duplicates are one question (`backend/units.py`): whoever is given one of them has the others in hand with it, and
what is drawn and counted are units, at the places of the images that stand for them.
"""

import math
import random
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backend.store.table import Label
from IA.duplicates.groups import DuplicateGroups, ImageState, Numbers
from IA.protocol.fields import NO_FLOATS, NO_INTS, Floats, Ints
from IA.protocol.records import Ranking

LEASE_S = 60.0
LOOK_AT = 4096  # places of an order at a time
FORGET_FROM = 10_000  # leases; then those that are over and answered are dropped
CLIENTS_AT_MOST = 1000  # whose coins are remembered

ORDERS = ("band", "ranked", "shuffled", "reversed", "left over")
OF_ANSWER = ImageState.ANSWERED | ImageState.DRAWN | ImageState.POSITIVE | ImageState.NEGATIVE
PASSED = int(ImageState.ANSWERED | ImageState.DRAWN)  # on the way down the ranking; a plain int for numpy
WHETHER_PASSED = int(PASSED | ImageState.GONE | ImageState.UNREADABLE)
SAMPLED = int(ImageState.DRAWN)
WHETHER_SAMPLED = int(ImageState.DRAWN | ImageState.GONE | ImageState.UNREADABLE)
AWAY = int(ImageState.GONE | ImageState.UNREADABLE)
LABELLED = int(ImageState.POSITIVE | ImageState.NEGATIVE)
OF_LABEL: dict[Label | None, ImageState] = {
    "positive": ImageState.ANSWERED | ImageState.POSITIVE,
    "negative": ImageState.ANSWERED | ImageState.NEGATIVE,
    "skipped": ImageState.ANSWERED,
    None: ImageState(0),
}


class Prediction(NamedTuple):
    """What the model says of an image: the probability, and the generation of the checkpoint behind it."""

    probability: float | None
    checkpoint: int | None


@dataclass(frozen=True)
class Lease:
    """An image that was handed to a client.

    Attributes:
        client: whose it is.
        until_s: nobody else is given it before.
        said: what the model said of it then.
        drawn: whether it was drawn at random.
        passed: drawn images that stand right before it in the ranking, reached when it is answered.
        image: the image to be shown: the lease stands for its near duplicates, too.
    """

    client: str
    until_s: float
    said: Prediction
    drawn: bool = False
    passed: tuple[int, ...] = ()
    image: int = -1


@dataclass(frozen=True)
class Counted:
    """The images as the audit sees them, near duplicates as one: by the image that stands for them.

    Attributes:
        answered: how many have a positive or a negative answer.
        positives: how many of them a positive one.
        drawn: how many of them were drawn from the rest, wherever they stand in random order.
        open: (N,) bool, those still to be asked.
        sample: (n,) numbers of those that were drawn from the rest: all in random order before the first open one.
        is_positive: (n,) bool, whether they are.
        rest: (N,) bool, those that the model may still ask for: open, or drawn without its knowledge.
        unanswered: (N,) bool, all images still to be asked, near duplicates each for itself.
    """

    answered: int
    positives: int
    drawn: int
    open: npt.NDArray[np.bool_]
    sample: npt.NDArray[np.int32]
    is_positive: npt.NDArray[np.bool_]
    rest: npt.NDArray[np.bool_]
    unanswered: npt.NDArray[np.bool_]


class Queue:
    """The order of questions for all clients; every method may be called from any thread.

    `share` of the questions are drawn at random; it may be set at any time.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        share: float = 0.0,
        toss: Callable[[], float] = random.random,
    ) -> None:
        """Begin without any image.

        Args:
            seed: of the random order, which is the same after a restart.
            clock: seconds.
            share: of questions drawn at random, 0 to 1.
            toss: a random number from 0 to 1, another one at each call, also after a restart.
        """
        self.share = share
        self._clock = clock
        self._toss = toss
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._closed = bytearray()
        self._units = DuplicateGroups()
        self._units_closed = bytearray()  # the same of each unit, by its number
        self._shuffled = array("i")
        self._left = 0
        self._ranked: Ints = NO_INTS
        self._ranked_probability: Floats = NO_FLOATS
        self._ranked_by: int | None = None
        self._probability: Floats = NO_FLOATS
        self._scored_by: int | None = None
        self._band: Ints = NO_INTS
        self._band_began = 0  # images of it that were to be asked when it was named
        self._starts = dict.fromkeys(ORDERS, 0)  # nothing before these places is to be asked
        self._leases: dict[int, Lease] = {}
        self._forget_from = FORGET_FROM
        self._coins: dict[str, deque[float]] = {}  # of each client, one for each of its next questions

    @property
    def left(self) -> int:
        """How many images are still to be asked."""
        return self._left

    @property
    def copies(self) -> int:
        """How many images are near duplicates of another one."""
        return self._units.copies

    def group(self, first: Numbers) -> None:
        """Ask near duplicates as one from now on.

        Args:
            first: (N,) of images that are there, the number of the unit of each; the others stand alone.
        """
        with self._lock:
            for image in range(len(self._closed), len(first)):
                self._put(image, ImageState.GONE, ImageState.GONE)  # until it is marked
            self._units = DuplicateGroups(first)
            closed = np.frombuffer(bytes(self._closed), np.uint8)
            self._units_closed = bytearray(self._units.states(closed).tobytes())
            leases = self._leases.items()
            self._leases = {i: lease for i, lease in leases if self._units.of(i) == self._units.of(lease.image)}
            self._begin_anew()

    def mark(self, image: int, reason: ImageState, on: bool) -> None:
        """Close an image for a reason, or open it again for that reason; new numbers join the shuffled order."""
        with self._lock:
            self._put(image, reason, reason if on else ImageState(0))

    def answer(self, image: int, label: Label | None, drawn: bool = False) -> tuple[int, ...]:
        """Close an image because of its answer, or open it again.

        Args:
            image: its number.
            label: what stands; None: nothing any more.
            drawn: whether the model must not know of it.

        Returns:
            Images that the model would have asked for before this one: if they were drawn, they are reached now.
        """
        with self._lock:
            was_answered = image < len(self._closed) and self._closed[image] & ImageState.ANSWERED
            self._put(image, OF_ANSWER, OF_LABEL[label] | (ImageState.DRAWN if drawn else 0))
            if label is None or was_answered:
                return ()
            lease = self._leases.get(image)
            passed = lease.passed if lease is not None and lease.image == image else ()
            if lease is not None and lease.image == image:
                self._spend(lease)
            return tuple(self._with_copies((*passed, *(() if drawn else (image,))), image))

    def _with_copies(self, passed: Iterable[int], answered: int) -> Iterator[int]:
        """These images, and those near duplicates of them that were drawn: the model has asked for all of them."""
        for image in passed:
            for member in self._units.members(self._units.of(image)):
                if member != answered and (member == image or self._closed[member] & ImageState.DRAWN):
                    yield member

    def _put(self, image: int, reasons: int, now: int) -> None:
        """Of these reasons, those in `now` are there from now on."""
        while image >= len(self._closed):
            self._join(len(self._closed))
        before = self._closed[image]
        after = before & ~reasons | now
        self._closed[image] = after
        self._left += (after == 0) - (before == 0)
        unit = self._units.of(image)
        unit_before = self._units_closed[unit]
        members = self._units.members(unit)
        unit_after = (
            after if len(members) == 1 else DuplicateGroups.together(self._closed[member] for member in members)
        )
        self._units_closed[unit] = unit_after
        if _comes_back(before, after) or _comes_back(unit_before, unit_after):
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._starts = dict.fromkeys(self._starts, 0)

    def _join(self, image: int) -> None:
        """Put a new image at a random place, so that the order is a fair shuffle at any moment."""
        place = self._random.randrange(image + 1)
        self._shuffled.append(image)
        self._shuffled[image], self._shuffled[place] = self._shuffled[place], image
        self._begin_anew()
        self._closed.append(0)
        self._units_closed.append(0)
        self._left += 1

    def rank(self, ranking: Ranking) -> None:
        """Follow a new ranking from now on."""
        with self._lock:
            self._ranked, self._ranked_probability = ranking.images, ranking.probability
            self._ranked_by = ranking.checkpoint
            self._starts["ranked"] = 0

    def ask_first(self, images: Ints) -> None:
        """Ask these before the ranking, in this order, until they are answered; they replace the ones before.

        They are the model's choice as the ranking is: what was drawn of them is passed and reached. So which images
        they are must not depend on what was drawn. They are forgotten at a restart.
        """
        with self._lock:
            self._band = images
            self._starts["band"] = 0
            self._band_began = self._band_left()

    def narrow(self, images: Ints) -> None:
        """Of the images to be asked first ask only these from now on, in this order."""
        with self._lock:
            self._band = images
            self._starts["band"] = 0

    @property
    def asked_first(self) -> tuple[int, int]:
        """Of the images to be asked before the ranking: how many are left, and how many there were to ask."""
        with self._lock:
            left = self._band_left()
            return left, max(left, self._band_began)

    def _band_left(self) -> int:
        images = np.asarray(self._band[self._starts["band"] :])
        if not len(images) or not self._closed:
            return 0
        closed = np.frombuffer(self._closed, np.uint8)
        return int((closed[images[images < len(closed)]] == 0).sum())

    def score(self, probability: Floats, checkpoint: int | None = None) -> None:
        """Know the probability of each image, NaN where there is none, also of those already answered."""
        self._probability, self._scored_by = probability, checkpoint

    def said(self, image: int, client: str | None = None) -> Prediction:
        """What the model said when this client was given the image, else what it says now; None: it has not scored it.

        Of an image that was drawn the client is not told.
        """
        lease = self._leases.get(image)
        if lease is not None and lease.client == client:
            return lease.said
        return self._said(self._probability[image] if image < len(self._probability) else math.nan, self._scored_by)

    def is_sampled(self, image: int, client: str) -> bool:
        """Whether this image was drawn for this client.

        A lease that was lost, in a restart or to somebody else, is no draw any more, and the answer an ordinary one:
        the image leaves the rest as if the model had asked for it. Which leases are lost has nothing to do with what
        the images show, so the others are still a random sample of what remains.
        """
        lease = self._leases.get(image)
        return lease is not None and lease.client == client and lease.drawn

    def is_apart(self, image: int) -> bool:
        """Whether an image was drawn for anybody: nobody is told what the model thinks of it, before or after."""
        lease = self._leases.get(image)
        is_answered = image < len(self._closed) and bool(self._closed[image] & ImageState.DRAWN)
        return is_answered or (lease is not None and lease.drawn)

    # --- handing out --------------------------------------------------------------------------------------------------

    def next(self, client: str, count: int) -> list[tuple[int, float | None]]:
        """Hand out images, best first, some of them drawn at random; for `LEASE_S` nobody else is given them.

        Returns:
            At most `count` pairs of image and the probability to be told, None where it was drawn; fewer when fewer
            are left.
        """
        with self._lock:
            now_s = self._clock()
            chosen: dict[int, Lease] = {}
            ranked, drawn = self._asked(client, now_s, chosen), self._drawn(client, now_s, chosen)
            asked: list[Lease] = []
            for coin in self._tossed(client, count):
                first, second = (drawn, ranked) if coin < self.share else (ranked, drawn)
                lease = next(first, None) or next(second, None)
                if lease is None:
                    break
                asked.append(lease)
                chosen |= dict.fromkeys(self._open_members(lease.image), lease)
            self._leases.update(chosen)
            if len(self._leases) > self._forget_from:
                self._forget(now_s)
            return [(lease.image, None if lease.drawn else lease.said.probability) for lease in asked]

    def _asked(self, client: str, now_s: float, chosen: dict[int, Lease]) -> Iterator[Lease]:
        """What the model asks this client, each with the drawn ones that are passed on the way to it."""
        passed: list[int] = []
        for image, said in self._walk(passing=True):
            others = self._in_force(image, now_s)
            if image in chosen:
                if chosen[image].drawn:
                    passed.append(image)
            elif self._closed[image] or any(lease.drawn for lease in others):
                passed.append(image)
            elif all(lease.client == client for lease in others):
                shown = next((lease.image for lease in others), image)  # the same one as before
                said = said if shown == image else self.said(shown)
                yield Lease(client, now_s + LEASE_S, said, False, tuple(passed), shown)
                passed = []

    def _drawn(self, client: str, now_s: float, chosen: dict[int, Lease]) -> Iterator[Lease]:
        """The first units in random order that are in nobody's hands; the client keeps what was drawn for it."""
        for image in map(self._shown, self._open_in("shuffled")):
            others = self._in_force(image, now_s)
            if image not in chosen and all(lease.client == client and lease.drawn for lease in others):
                shown = next((lease.image for lease in others), image)
                yield Lease(client, now_s + LEASE_S, self.said(shown), True, (), shown)

    def _in_force(self, image: int, now_s: float) -> list[Lease]:
        """The leases of an image and its near duplicates that are not over, nor answered."""
        leases = [self._leases.get(member) for member in self._units.members(self._units.of(image))]
        return [lease for lease in leases if lease and lease.until_s > now_s and not self._closed[lease.image]]

    def _open_members(self, image: int) -> list[int]:
        """An image, and those near duplicates of it that are still to be asked."""
        members = self._units.members(self._units.of(image))
        return [member for member in members if member == image or not self._closed[member]]

    def _shown(self, unit: int) -> int:
        """The image that a unit is asked by; of one that is to be passed, an answered one."""
        is_open = not self._units_closed[unit]
        for member in (unit, *self._units.members(unit)):
            state = self._closed[member]
            if not state if is_open else state & PASSED == PASSED:
                return member
        return unit

    def _tossed(self, client: str, count: int) -> list[float]:
        """A coin for each of the next questions to this client: the same ones until they are answered."""
        coins = self._coins.setdefault(client, deque())
        while len(coins) < count:
            coins.append(self._toss())
        if len(self._coins) > CLIENTS_AT_MOST:
            del self._coins[next(iter(self._coins))]
        return [coins[place] for place in range(count)]

    def _spend(self, lease: Lease) -> None:
        """A question has been answered: its coin is gone; the first of its kind, for pages may change the order."""
        coins = self._coins.get(lease.client, deque())
        for place, coin in enumerate(coins):
            if (coin < self.share) == lease.drawn:
                del coins[place]
                return

    def _forget(self, now_s: float) -> None:
        """Drop the leases that are over; one of an answered image counts until then, for the answer may be undone."""
        kept = {i: lease for i, lease in self._leases.items() if lease.until_s > now_s or not self._closed[i]}
        self._leases, self._forget_from = kept, max(FORGET_FROM, 2 * len(kept))

    def hold(self, image: int, client: str, drawn: bool = False) -> None:
        """Hand out this very image, unless somebody else has it: the client sees it again, for an undo took it back.

        If it was `drawn` it is so again: else people who take back answers would choose the sample.
        """
        with self._lock:
            now_s = self._clock()
            if all(lease.client == client for lease in self._in_force(image, now_s)):
                lease = Lease(client, now_s + LEASE_S, self.said(image, client), drawn, (), image)
                self._leases |= dict.fromkeys(self._open_members(image), lease)

    def rejoin(self, numbers: Iterable[int], client: str) -> int | None:
        """Hand out near duplicates, which were asked one by one, as one question again.

        Returns:
            The image they are to be asked by, the one in the client's hands if there is one; None where all of them
            are answered. It was drawn if one that the client has was.
        """
        with self._lock:
            now_s = self._clock()
            there = [image for image in numbers if self.is_open(image)]
            held = [lease for image in there for lease in self._in_force(image, now_s) if lease.client == client]
        shown = next((lease.image for lease in held), next(iter(there), None))
        if shown is not None:
            self.hold(shown, client, any(lease.drawn for lease in held))
        return shown

    def release(self, client: str) -> None:
        """Take from a client what is in its hands, for others; what was drawn stays there until its time is over.

        Else people who leave at the sight of some images would choose the sample.
        """
        with self._lock:
            leases = self._leases.items()
            self._leases = {
                i: lease for i, lease in leases if lease.client != client or lease.drawn or self._closed[lease.image]
            }

    # --- looking ------------------------------------------------------------------------------------------------------

    def is_open(self, image: int) -> bool:
        """Whether an image is to be asked."""
        return image < len(self._closed) and not self._closed[image]

    def alike(self, image: int, client: str) -> list[int]:
        """The near duplicates of an image that this client has been given with it."""
        with self._lock:
            lease = self._leases.get(image)
            if lease is None or lease.client != client or lease.image != image:
                return []
            return [other for other in self._open_members(image) if other != image and self._leases.get(other) is lease]

    def among(self, image: int, numbers: Iterable[int]) -> list[int]:
        """Those of these numbers that are near duplicates of an image, and there."""
        with self._lock:
            members = set(self._units.members(self._units.of(image))) - {image}
            return [other for other in dict.fromkeys(numbers) if other in members and not self._closed[other] & AWAY]

    def members(self, image: int) -> list[int]:
        """An image and its near duplicates."""
        with self._lock:
            return self._units.members(self._units.of(image))

    def copied(self) -> list[tuple[int, int]]:
        """Each image that has near duplicates, with the one that stands for them."""
        return self._units.pairs

    def head(self, count: int) -> list[int]:
        """The images that come next, whoever holds them; nothing is handed out."""
        with self._lock:
            images: dict[int, int] = {}  # one of each unit
            for unit in self._open_in("shuffled"):
                if len(images) >= math.ceil(self.share * count):
                    break
                images[unit] = self._shown(unit)
            for image, _ in self._walk(passing=False):
                if len(images) >= count:
                    break
                images.setdefault(self._units.of(image), image)
            return list(images.values())

    def counted(self) -> Counted:
        """What the audit counts.

        The sample ends before the first open image in random order: an answer that was taken back, an image that came
        since or that somebody keeps leaves a gap, and what was drawn beyond it is no random choice until it is filled.
        """
        with self._lock:
            unanswered = np.frombuffer(bytes(self._closed), np.uint8) == 0
            closed = np.frombuffer(bytes(self._units_closed), np.uint8)
            order = np.frombuffer(bytes(self._shuffled), np.int32)
        is_open = closed == 0
        first = int(np.argmax(is_open[order])) if is_open.any() else len(order)
        before = order[:first]
        answered = closed & LABELLED != 0
        sample = before[(answered & (closed & WHETHER_SAMPLED == SAMPLED))[before]]
        positive = closed & int(ImageState.POSITIVE) != 0
        drawn = int((answered & (closed & WHETHER_SAMPLED == SAMPLED)).sum())
        positives, to_pass = int(positive.sum()), _is_to_pass(closed)
        is_positive = positive[sample]
        return Counted(int(answered.sum()), positives, drawn, is_open, sample, is_positive, to_pass, unanswered)

    @staticmethod
    def _said(probability: float, checkpoint: int | None) -> Prediction:
        return Prediction(None, None) if math.isnan(probability) else Prediction(probability, checkpoint)

    # --- the orders ---------------------------------------------------------------------------------------------------

    def _walk(self, passing: bool) -> Iterator[tuple[int, Prediction]]:
        """Images to ask: those to be asked first, as ranked, and in random order those that no ranking knows yet.

        That is the random order from its end: those that are drawn come from its beginning, and are a random choice of
        what is asked last.

        Args:
            passing: drawn ones that are not reached, too.
        """
        for place in self._places("band", self._band, passing):
            yield self._band[place], self.said(self._band[place])
        for place in self._places("ranked", self._ranked, passing):
            yield self._ranked[place], self._said(self._ranked_probability[place], self._ranked_by)
        for unit in self._open_in("reversed", passing):
            image = self._shown(unit)
            yield image, self.said(image)
        if len(self._units):
            for image in self._open_in("left over"):  # by near duplicates that were answered without them
                yield image, self.said(image)

    def _open_in(self, which: str, passing: bool = False) -> Iterator[int]:
        """The units to ask in random order, or in the reversed one; or all images in that one."""
        order = self._shuffled if which == "shuffled" else _Reversed(self._shuffled)
        for place in self._places(which, order, passing):
            yield order[place]

    def _places(self, which: str, order: Any, passing: bool) -> Iterator[int]:
        """Where in an order an image is to be asked or passed; a ranking may name some that are not known yet."""
        at_start = True
        of_units = which in {"shuffled", "reversed"}
        for start in range(self._starts[which], len(order), LOOK_AT):
            images = np.asarray(order[start : start + LOOK_AT])
            closed = np.frombuffer(self._units_closed if of_units else self._closed, np.uint8)
            known = np.flatnonzero(images < len(closed))
            states = closed[images[known]]
            is_open = states == 0
            is_wanted = is_open if which == "shuffled" else _is_to_pass(states)
            places = start + known[is_wanted]
            if at_start:
                self._starts[which] = int(places[0]) if len(places) else min(start + LOOK_AT, len(order))
                at_start = not len(places)
            yield from (places if passing else start + known[is_open]).tolist()


def _is_to_pass(closed: Any) -> Any:
    """Whether an image is open, or was drawn and is not reached."""
    return (closed == 0) | (closed & WHETHER_PASSED == PASSED)


def _comes_back(before: int, after: int) -> bool:
    """Whether it is to be asked or passed again."""
    return bool((before and not after) or (_is_to_pass(after) and not _is_to_pass(before)))


class _Reversed:
    """An array from its end; only what is asked for is copied."""

    def __init__(self, order: "array[int]") -> None:
        self._order = order

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, int):
            return self._order[-1 - place]
        end = len(self._order) - place.start
        return self._order[max(0, len(self._order) - place.stop) : end][::-1]
