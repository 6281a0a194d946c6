"""Near duplicates that are one question: which images stand together, and what is known of them as a whole.

A unit has the number of one of its images, the one that stands for it. An image without a near duplicate is a unit too.
"""

from collections.abc import Iterable
from enum import IntFlag

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]
States = npt.NDArray[np.uint8]


class ImageState(IntFlag):
    """Why an image is not to be asked, and what is known of it then."""

    ANSWERED = 1
    GONE = 2
    UNREADABLE = 4
    DRAWN = 8  # at random, and not reached: the model is not to know that it was answered
    POSITIVE = 16
    NEGATIVE = 32
    COPY = 64  # of a unit alone: this number stands for none, as its image belongs to another one


# Plain ints: numpy would widen bytes for anything else.
ANSWERED, DRAWN, COPY = int(ImageState.ANSWERED), int(ImageState.DRAWN), int(ImageState.COPY)
AWAY = int(ImageState.GONE | ImageState.UNREADABLE)
GONE = int(ImageState.GONE)
LABELLED = int(ImageState.POSITIVE | ImageState.NEGATIVE)
SAID = int(ImageState.ANSWERED | ImageState.POSITIVE | ImageState.NEGATIVE)


class DuplicateGroups:
    """The division of all images into units; one that is not in it stands alone."""

    def __init__(self, first: Numbers | None = None) -> None:
        """Divide.

        Args:
            first: (N,) for each image the number of its unit: `first[first]` is `first`. None: all stand alone.
        """
        self._first = np.zeros(0, np.int32) if first is None else first
        sizes = np.bincount(self._first, minlength=len(self._first))
        together = np.flatnonzero(sizes[self._first] > 1) if len(self._first) else np.zeros(0, np.int64)
        by_unit = np.argsort(self._first[together], kind="stable")
        self._numbers = together[by_unit]
        self._unit_of = self._first[self._numbers]
        self._is_together = (sizes[self._first] > 1).tobytes() if len(self._first) else b""

    def __len__(self) -> int:
        """How many images it divides."""
        return len(self._first)

    @property
    def copies(self) -> int:
        """How many images belong to a unit that has another one's number."""
        return len(self._numbers) - len(np.unique(self._unit_of))

    def of(self, image: int) -> int:
        """The unit of an image."""
        return int(self._first[image]) if image < len(self._first) else image

    def members(self, unit: int) -> list[int]:
        """Its images in the order of their numbers."""
        if unit >= len(self._is_together) or not self._is_together[unit]:
            return [unit]
        begin, end = np.searchsorted(self._unit_of, [unit, unit + 1])
        return self._numbers[begin:end].tolist()  # type: ignore[no-any-return]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Each image that does not stand alone, with its unit."""
        return list(zip(self._numbers.tolist(), self._unit_of.tolist(), strict=True))

    def states(self, closed: States) -> States:
        """What is known of each unit, by its number, from what is known of each image; see `together`.

        Args:
            closed: (M,) of each image, at least as many as are divided.
        """
        states = closed.copy()
        if not len(self._numbers):
            return states
        numbers, unit = self._numbers, self._unit_of
        mine = closed[numbers]
        answered = mine & ANSWERED != 0

        def any_of(which: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
            found = np.zeros(len(closed), np.bool_)
            found[unit[which]] = True
            return found

        is_answered, is_open = any_of(answered), any_of(mine == 0)
        was_asked, is_there = any_of(answered & (mine & DRAWN == 0)), any_of(answered & (mine & AWAY == 0))
        said = np.zeros(len(closed), np.uint8)
        for label in (int(ImageState.POSITIVE), int(ImageState.NEGATIVE)):
            said[any_of(mine & label != 0)] |= label
        told = said | ANSWERED
        told[~was_asked] |= DRAWN
        told[~is_there] |= GONE
        shared = np.unique(unit)
        states[shared[is_open[shared]]] = 0
        states[shared[is_answered[shared]]] = told[shared[is_answered[shared]]]
        states[numbers[numbers != unit]] = COPY
        return states

    @staticmethod
    def together(closed: Iterable[int]) -> int:
        """What is known of a unit, from what is known of each of its images.

        It is answered once one of them is, and positive if one of them is; open, if none is answered and one is open.
        It was drawn if all answers to it were: else the model has asked for it. It is gone with the answered ones.
        """
        states = list(closed)
        answered = [state for state in states if state & ANSWERED]
        if not answered:
            return 0 if 0 in states else states[0]
        told = 0
        for state in answered:
            told |= state & SAID
        told |= DRAWN if all(state & DRAWN for state in answered) else 0
        return told | (GONE if all(state & AWAY for state in answered) else 0)


def divided(first: npt.ArrayLike, images: int, split: Iterable[int] = ()) -> Numbers:
    """The division that `DuplicateGroups` takes, from what inference has found.

    Args:
        first: (N,) of duplicates.pickle; it may know of more images than there are, or of fewer.
        images: how many there are.
        split: some that are to stand alone, with whatever stands together with them.
    """
    known = np.asarray(first)[:images]
    return without(np.where(known < len(known), known, np.arange(len(known), dtype=np.int32)), split)


def without(first: Numbers, split: Iterable[int]) -> Numbers:
    """The same division, but whatever stands together with one of these images stands alone."""
    is_split = np.zeros(len(first), np.bool_)
    numbers = np.fromiter(split, np.int64)
    is_split[first[numbers[numbers < len(first)]]] = True
    alone: Numbers = np.where(is_split[first], np.arange(len(first), dtype=np.int32), first)
    return alone


def is_sampled(states: States) -> npt.NDArray[np.bool_]:
    """Which images were drawn at random, have a positive or negative answer, and can still be seen.

    Args:
        states: (N,) of each image or unit.
    """
    is_labelled = states & LABELLED != 0
    sampled: npt.NDArray[np.bool_] = is_labelled & (states & (DRAWN | AWAY) == DRAWN)
    return sampled
