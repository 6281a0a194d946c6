"""What to ask next: the order of questions, less what is answered, gone, unreadable or in another person's hands.

A share of the questions is drawn at random instead, from all images that are open: `backend/questions/draws.py`. Near
duplicates are one question (`IA/duplicates/groups.py`): whoever is given one of them has the others in hand with it,
and what is drawn and counted are units, at the places of the images that stand for them.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from backend.questions.draws import Counted, Draws, counted
from backend.questions.leases import LEASE_S, Lease, Leases
from backend.questions.orders import Orders, Prediction
from backend.questions.states import OF_ANSWER, ImageStates
from backend.store.table import Label
from IA.duplicates.groups import OF_LABEL, ImageState, Numbers
from IA.protocol.fields import Floats, Ints
from IA.protocol.records import Ranking
from IA.statistics.draw import SEED


class Question(NamedTuple):
    """What is known of a question when it is answered.

    Attributes:
        predicted: what the model predicted when the client was given the image, else what it predicts now. The client
            is not shown that of an image that was drawn.
        is_sampled: whether the image was drawn at random for this client.
        passed: the images that the model selects with this answer: it would have asked for them before. Those of them
            that were drawn and answered leave the sample; the others are as they were.
    """

    predicted: Prediction
    is_sampled: bool
    passed: list[int]


class Queue:
    """Hands out questions to all clients; every method may be called from any thread.

    Attributes:
        states: what is known of each image, to look at.
        leases: which images are in whose hands, to look at.
    """

    def __init__(
        self,
        seed: int = SEED,
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
        self.states = ImageStates()
        self.leases = Leases(self.states, clock)
        self._draws = Draws(seed, share, toss)
        self._orders = Orders(self.states, self._draws)
        self._lock = threading.Lock()

    @property
    def share(self) -> float:
        """The share of the questions that is drawn at random; it may be set at any time."""
        return self._draws.share

    @share.setter
    def share(self, share: float) -> None:
        self._draws.share = share

    @property
    def left(self) -> int:
        """How many images are still to be asked."""
        return self.states.left

    # --- what is known of images --------------------------------------------------------------------------------------

    def group(self, first: Numbers) -> None:
        """Ask near duplicates as one from now on.

        Args:
            first: (N,) of images that are there, the number of the unit of each; the others stand alone.
        """
        with self._lock:
            self.states.group(first)
            self.leases.regroup()
            self._orders.begin_anew()

    def mark(self, image: int, reason: ImageState, on: bool) -> None:
        """Close an image for a reason, or open it again for that reason; new numbers join the random order."""
        with self._lock:
            if self.states.put(image, reason, reason if on else 0):
                self._orders.begin_anew()

    def answer(self, image: int, label: Label | None, is_sampled: bool = False) -> None:
        """Close an image because of its answer, or open it again.

        Args:
            image: its number.
            label: what stands; None: nothing any more.
            is_sampled: whether it was drawn and the model must not know of its answer.
        """
        with self._lock:
            was_answered = self.states.has(image, ImageState.ANSWERED)
            if self.states.put(image, OF_ANSWER, OF_LABEL[label] | (ImageState.DRAWN if is_sampled else 0)):
                self._orders.begin_anew()
            lease = self.leases.of(image)
            if label is not None and not was_answered and lease is not None and lease.image == image:
                self._draws.spend(lease.client, lease.is_sampled)

    # --- what the model says ------------------------------------------------------------------------------------------

    def rank(self, ranking: Ranking) -> None:
        """Follow a new ranking from now on."""
        with self._lock:
            self._orders.rank(ranking)

    def score(self, probability: Floats, checkpoint: int | None = None) -> None:
        """Know the probability of each image, NaN where there is none, also of those already answered."""
        self._orders.score(probability, checkpoint)

    def ask_first(self, images: Ints) -> None:
        """Ask these before the ranking, in this order, until they are answered; they replace the ones before.

        They are the model's choice as the ranking is: those of them that were drawn are passed, and selected then. So
        which images they are must not depend on what was drawn. They are forgotten at a restart.
        """
        with self._lock:
            self._orders.ask_first(images)

    def narrow(self, images: Ints) -> None:
        """Of the images to be asked first ask only these from now on, in this order."""
        with self._lock:
            self._orders.narrow(images)

    @property
    def asked_first(self) -> tuple[int, int]:
        """Of the images to be asked before the ranking: how many are left, and how many there were to ask."""
        with self._lock:
            return self._orders.asked_first

    # --- handing out --------------------------------------------------------------------------------------------------

    def next(self, client: str, count: int) -> list[tuple[int, float | None]]:
        """Hand out images, best first, some of them drawn at random; for `LEASE_S` nobody else is given them.

        Returns:
            At most `count` pairs of image and the probability to show, None where it was drawn; fewer when fewer are
            left.
        """
        with self._lock:
            now_s = self.leases.now_s
            covered: dict[int, Lease] = {}
            chosen, drawn = self._chosen(client, now_s, covered), self._drawn(client, now_s, covered)
            asked: list[Lease] = []
            for is_drawn in self._draws.coins(client, count):
                first, second = (drawn, chosen) if is_drawn else (chosen, drawn)
                lease = next(first, None) or next(second, None)
                if lease is None:
                    break
                asked.append(lease)
                covered |= dict.fromkeys(self.states.open_members(lease.image), lease)
            self.leases.begin(covered, now_s)
            return [(lease.image, None if lease.is_sampled else lease.predicted.probability) for lease in asked]

    def _chosen(self, client: str, now_s: float, covered: dict[int, Lease]) -> Iterator[Lease]:
        """What the model asks this client, each with the drawn images that are passed on the way to it."""
        passed: list[int] = []
        for image, predicted in self._orders.by_choice(passing=True):
            others = self.leases.in_force(image, now_s)
            if image in covered:
                if covered[image].is_sampled:
                    passed.append(image)
            elif self.states[image] or any(lease.is_sampled for lease in others):
                passed.append(image)
            elif all(lease.client == client for lease in others):
                shown = next((lease.image for lease in others), image)  # the same one as before
                predicted = predicted if shown == image else self._orders.predicted(shown)
                yield Lease(client, now_s + LEASE_S, predicted, False, tuple(passed), shown)
                passed = []

    def _drawn(self, client: str, now_s: float, covered: dict[int, Lease]) -> Iterator[Lease]:
        """The first units in random order that are in nobody's hands; the client keeps what was drawn for it."""
        for image in map(self.states.shown, self._orders.by_chance()):
            others = self.leases.in_force(image, now_s)
            if image not in covered and all(lease.client == client and lease.is_sampled for lease in others):
                shown = next((lease.image for lease in others), image)
                yield Lease(client, now_s + LEASE_S, self._orders.predicted(shown), True, (), shown)

    def hold(self, image: int, client: str, is_sampled: bool = False) -> None:
        """Hand out this very image, unless somebody else has it: the client sees it again, for an undo took it back.

        If it was drawn it is so again: else people who take back answers would choose the sample.
        """
        with self._lock:
            now_s = self.leases.now_s
            if all(lease.client == client for lease in self.leases.in_force(image, now_s)):
                own = self.leases.to(client, image)
                predicted = self._orders.predicted(image) if own is None else own.predicted
                lease = Lease(client, now_s + LEASE_S, predicted, is_sampled, (), image)
                self.leases.begin(dict.fromkeys(self.states.open_members(image), lease), now_s)

    def rejoin(self, numbers: Iterable[int], client: str) -> int | None:
        """Hand out near duplicates, which were asked one by one, as one question again.

        Returns:
            The image they are to be asked by, the one in the client's hands if there is one; None where all of them
            are answered. It was drawn if one that the client has was.
        """
        with self._lock:
            now_s = self.leases.now_s
            there = [image for image in numbers if self.states.is_open(image)]
            held = [lease for image in there for lease in self.leases.in_force(image, now_s) if lease.client == client]
        shown = next((lease.image for lease in held), next(iter(there), None))
        if shown is not None:
            self.hold(shown, client, any(lease.is_sampled for lease in held))
        return shown

    def release(self, client: str) -> None:
        """Take from a client what is in its hands, for others; what was drawn stays there until its time is over.

        Else people who leave at the sight of some images would choose the sample.
        """
        with self._lock:
            self.leases.release(client)

    # --- looking at questions -----------------------------------------------------------------------------------------

    def question(self, image: int, client: str) -> Question:
        """What is known of the question when a client answers an image, whether it was given the image or not.

        A lease that was lost, in a restart or to somebody else, is no draw any more, and the answer an ordinary one:
        the image counts as if the model had asked for it. Which leases are lost has nothing to do with what the images
        show, so the others are still a random sample of what remains.
        """
        with self._lock:
            lease, own = self.leases.of(image), self.leases.to(client, image)
            predicted = self._orders.predicted(image) if own is None else own.predicted
            is_sampled = own is not None and own.is_sampled
            if self.states.has(image, ImageState.ANSWERED):  # A correction is no question that the model asked.
                return Question(predicted, is_sampled, [])
            passed = lease.passed if lease is not None and lease.image == image else ()
            asked = passed if is_sampled else (*passed, image)
            members = dict.fromkeys(member for each in asked for member in self.states.members(each))
            return Question(predicted, is_sampled, [member for member in members if member != image])

    def in_hands(self) -> set[int]:
        """The open images that somebody is being asked, drawn or not, with their near duplicates."""
        with self._lock:
            return self.leases.in_hands()

    def is_apart(self, image: int) -> bool:
        """Whether an image was drawn for anybody: nobody is shown what the model predicts of it, before or after."""
        lease = self.leases.of(image)
        return self.states.has(image, ImageState.DRAWN) or (lease is not None and lease.is_sampled)

    def near_duplicates(self, image: int, client: str) -> list[int]:
        """The near duplicates of an image that this client has been given with it."""
        with self._lock:
            lease = self.leases.to(client, image)
            if lease is None or lease.image != image:
                return []
            members = self.states.open_members(image)
            return [other for other in members if other != image and self.leases.of(other) is lease]

    def head(self, count: int) -> list[int]:
        """The images that come next, whoever holds them; nothing is handed out."""
        with self._lock:
            images: dict[int, int] = {}  # one of each unit
            for unit in self._orders.by_chance():
                if len(images) >= self.share * count:
                    break
                images[unit] = self.states.shown(unit)
            for image, _ in self._orders.by_choice(passing=False):
                if len(images) >= count:
                    break
                images.setdefault(self.states.unit(image), image)
            return list(images.values())

    def counted(self) -> Counted:
        """What the audit counts."""
        with self._lock:
            images, units = self.states.of_images.copy(), self.states.of_units.copy()
            order = self._draws.order(len(units)).copy()
        return counted(images, units, order)
