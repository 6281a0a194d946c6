"""Groups of near duplicates, each of which is one question: their images, and what is known of them together.

A unit is such a group; it has the number of the image that stands for it. An image without near duplicates is a unit of
its own.
"""

from collections.abc import Iterable
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from IA.text.answer_words import Label

Numbers = npt.NDArray[np.int32]
States = npt.NDArray[np.uint8]


class ImageState(IntFlag):
    """Why an image is not asked, and what is known of it; 0 for an image that may be asked."""

    ANSWERED = 1
    GONE = 2
    UNREADABLE = 4
    DRAWN = 8  # Answered in the audit sample, and not selected by the model: the model must not learn the answer.
    POSITIVE = 16
    NEGATIVE = 32
    COPY = 64  # Only in the states of units: the image with this number belongs to another unit.


# These are plain ints, because numpy would widen bytes for anything else.
ANSWERED, DRAWN, COPY = int(ImageState.ANSWERED), int(ImageState.DRAWN), int(ImageState.COPY)
AWAY = int(ImageState.GONE | ImageState.UNREADABLE)
GONE = int(ImageState.GONE)
LABELLED = int(ImageState.POSITIVE | ImageState.NEGATIVE)
OF_LABEL: dict[Label | None, ImageState] = {
    "positive": ImageState.ANSWERED | ImageState.POSITIVE,
    "negative": ImageState.ANSWERED | ImageState.NEGATIVE,
    "skipped": ImageState.ANSWERED,
    None: ImageState(0),
}
"""What is known of an image by the label that stands for it; None: no label stands."""
ANSWER = int(ImageState.ANSWERED | ImageState.POSITIVE | ImageState.NEGATIVE)


class DuplicateGroups:
    """The division of all images into units; an image that is not in it is a unit of its own."""

    def __init__(self, first: Numbers | None = None) -> None:
        """Take up a division.

        Args:
            first: (N,) the number of each image's unit, so that `first[first]` is `first`. None: each image is a unit
                of its own.
        """
        self._first = np.zeros(0, np.int32) if first is None else first
        sizes = np.bincount(self._first, minlength=len(self._first))
        together = np.flatnonzero(sizes[self._first] > 1) if len(self._first) else np.zeros(0, np.int64)
        by_unit = np.argsort(self._first[together], kind="stable")
        self._numbers = together[by_unit]
        self._unit_of = self._first[self._numbers]
        self._is_together = (sizes[self._first] > 1).tobytes() if len(self._first) else b""

    def __len__(self) -> int:
        """How many images are divided."""
        return len(self._first)

    @property
    def copies(self) -> int:
        """How many images belong to a unit for which another image stands."""
        return len(self._numbers) - len(np.unique(self._unit_of))

    def of(self, image: int) -> int:
        """The unit of an image."""
        return int(self._first[image]) if image < len(self._first) else image

    def members(self, unit: int) -> list[int]:
        """The images of a unit, in the order of their numbers."""
        if unit >= len(self._is_together) or not self._is_together[unit]:
            return [unit]
        begin, end = np.searchsorted(self._unit_of, [unit, unit + 1])
        return self._numbers[begin:end].tolist()  # type: ignore[no-any-return]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Each image whose unit has several images, with that unit."""
        return list(zip(self._numbers.tolist(), self._unit_of.tolist(), strict=True))

    def states(self, closed: States) -> States:
        """The state of each unit, by its number, from the states of the images; see `together`.

        Args:
            closed: (M,) the state of each image, of at least as many as are divided.
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
        labels = np.zeros(len(closed), np.uint8)
        for label in (int(ImageState.POSITIVE), int(ImageState.NEGATIVE)):
            labels[any_of(mine & label != 0)] |= label
        of_answered = labels | ANSWERED
        of_answered[~was_asked] |= DRAWN
        of_answered[~is_there] |= GONE
        shared = np.unique(unit)
        states[shared[is_open[shared]]] = 0
        states[shared[is_answered[shared]]] = of_answered[shared[is_answered[shared]]]
        states[numbers[numbers != unit]] = COPY
        return states

    @staticmethod
    def together(closed: Iterable[int]) -> int:
        """The state of a unit, from the states of its images.

        A unit is answered if one of its images is, and positive if one of them is. It is open if no image is answered
        and one is open. It is in the audit sample if all its answers are; otherwise the model has selected it. It is
        gone if all its answered images are.
        """
        states = list(closed)
        answered = [state for state in states if state & ANSWERED]
        if not answered:
            return 0 if 0 in states else states[0]
        together = 0
        for state in answered:
            together |= state & ANSWER
        together |= DRAWN if all(state & DRAWN for state in answered) else 0
        return together | (GONE if all(state & AWAY for state in answered) else 0)


def divided(first: npt.ArrayLike, images: int, split: Iterable[int] = ()) -> Numbers:
    """The division that `DuplicateGroups` takes, from duplicates.pickle.

    Args:
        first: (N,) from duplicates.pickle, which may list more images than there are, or fewer.
        images: how many images there are.
        split: images whose units are to be split into single images.
    """
    known = np.asarray(first)[:images]
    return without(np.where(known < len(known), known, np.arange(len(known), dtype=np.int32)), split)


def without(first: Numbers, split: Iterable[int]) -> Numbers:
    """Split the units of these images: each image in them becomes a unit of its own."""
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
