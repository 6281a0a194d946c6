"""The orders in which images are asked: what a person wants first, the ranking, and random order."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from backend.questions.draws import Draws
from backend.questions.states import ImageStates, is_to_pass
from IA.protocol.fields import NO_FLOATS, NO_INTS, Floats, Ints
from IA.protocol.records import Ranking

LOOK_AT = 4096  # places of an order at a time
ORDERS = ("first", "ranked", "random", "random from its end", "left over")


class Prediction(NamedTuple):
    """What the model predicts of an image: the probability, and the generation of the checkpoint behind it."""

    probability: float | None
    checkpoint: int | None


class Orders:
    """Where to go on in each order; the queue uses it under its lock."""

    def __init__(self, states: ImageStates, draws: Draws) -> None:
        self._states = states
        self._draws = draws
        self._ranked: Ints = NO_INTS
        self._ranked_probability: Floats = NO_FLOATS
        self._ranked_by: int | None = None
        self._probability: Floats = NO_FLOATS
        self._scored_by: int | None = None
        self._first: Ints = NO_INTS
        self._first_began = 0  # images of it that were to be asked when it was named
        self._starts = dict.fromkeys(ORDERS, 0)  # Nothing before these places is to be asked.

    def begin_anew(self) -> None:
        """Look at every order from its beginning: an image is new, or is to be asked again."""
        self._draws.grow(len(self._states))
        self._starts = dict.fromkeys(ORDERS, 0)

    # --- what the orders rest on --------------------------------------------------------------------------------------

    def rank(self, ranking: Ranking) -> None:
        """Follow a new ranking from now on."""
        self._ranked, self._ranked_probability = ranking.images, ranking.probability
        self._ranked_by = ranking.checkpoint
        self._starts["ranked"] = 0

    def ask_first(self, images: Ints) -> None:
        """Ask these before the ranking, in this order; see `Queue.ask_first`."""
        self.narrow(images)
        self._first_began = self._first_left()

    def narrow(self, images: Ints) -> None:
        """Of the images to be asked first ask only these from now on, in this order."""
        self._first = images
        self._starts["first"] = 0

    @property
    def asked_first(self) -> tuple[int, int]:
        """Of the images to be asked before the ranking: how many are left, and how many there were to ask."""
        left = self._first_left()
        return left, max(left, self._first_began)

    def _first_left(self) -> int:
        images = np.asarray(self._first[self._starts["first"] :])
        if not len(images) or not len(self._states):
            return 0
        return int((self._states.of_images[images[images < len(self._states)]] == 0).sum())

    def score(self, probability: Floats, checkpoint: int | None) -> None:
        """Know the probability of each image, NaN where there is none, also of those already answered."""
        self._probability, self._scored_by = probability, checkpoint

    def predicted(self, image: int) -> Prediction:
        """What the model predicts of an image now."""
        return _prediction(self._probability[image] if image < len(self._probability) else math.nan, self._scored_by)

    # --- going through them -------------------------------------------------------------------------------------------

    def by_choice(self, passing: bool) -> Iterator[tuple[int, Prediction]]:
        """The images to ask: those to be asked first, as ranked, and in random order those that no ranking has.

        That is the random order from its end. Those that are drawn come from its beginning, and are a random choice of
        what is asked last.

        Args:
            passing: yield also those that were drawn and the model has not selected.
        """
        for place in self._places("first", self._first, passing):
            yield self._first[place], self.predicted(self._first[place])
        for place in self._places("ranked", self._ranked, passing):
            yield self._ranked[place], _prediction(self._ranked_probability[place], self._ranked_by)
        for unit in self._by_chance("random from its end", passing):
            image = self._states.shown(unit)
            yield image, self.predicted(image)
        if self._states.is_divided:
            for image in self._by_chance("left over", passing):  # by near duplicates that were answered without them
                yield image, self.predicted(image)

    def by_chance(self) -> Iterator[int]:
        """The open units in random order."""
        return self._by_chance("random", passing=False)

    def _by_chance(self, which: str, passing: bool) -> Iterator[int]:
        order = self._draws.order(len(self._states))
        if which != "random":
            order = order[::-1]
        for place in self._places(which, order, passing):
            yield int(order[place])

    def _places(self, which: str, order: Any, passing: bool) -> Iterator[int]:
        """Where in an order an image or unit is to be asked or passed; a ranking may name some not known yet."""
        at_start = True
        is_of_units = which in {"random", "random from its end"}
        for start in range(self._starts[which], len(order), LOOK_AT):
            images = np.asarray(order[start : start + LOOK_AT])
            closed = self._states.of_units if is_of_units else self._states.of_images
            known = np.flatnonzero(images < len(closed))
            states = closed[images[known]]
            is_open = states == 0
            places = start + known[is_open if which == "random" else is_to_pass(states)]
            if at_start:
                self._starts[which] = int(places[0]) if len(places) else min(start + LOOK_AT, len(order))
                at_start = not len(places)
            yield from (places if passing else start + known[is_open]).tolist()


def _prediction(probability: float, checkpoint: int | None) -> Prediction:
    return Prediction(None, None) if math.isnan(probability) else Prediction(probability, checkpoint)
