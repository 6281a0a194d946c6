"""The random draw: its order, which answers are a random sample, and what they tell of the images that remain.

The server draws and counts by this module, and so do the predictor's card and the simulator. The order follows from the
number of images alone, so a run that is resumed goes on in the order in which it began.
"""

import random
from array import array
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from IA.statistics.audit import Division, Sample, ScreeningState

SEED = 0

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]


class RandomOrder:
    """A fair shuffle of the images at any moment, which grows as images come."""

    def __init__(self, seed: int = SEED) -> None:
        """Begin without any image; `seed` decides the order."""
        self._dice = random.Random(seed)
        self._order = array("i")

    def of(self, images: int) -> "array[int]":
        """The numbers of so many images, at least as many as were asked for before, in random order.

        A new image takes a random place, and the one that was there goes to the end. The array is ours: do not keep it.
        """
        order = self._order
        for image in range(len(order), images):
            place = self._dice.randrange(image + 1)
            order.append(image)
            order[image], order[place] = order[place], image
        return order


def shuffled(images: int, seed: int = SEED) -> Numbers:
    """The numbers of so many images in the order in which they are drawn, (N,)."""
    return np.array(RandomOrder(seed).of(images), np.int32)


@dataclass(frozen=True)
class AuditSample:
    """A random sample of the images that the model has not asked for.

    Attributes:
        is_open: (N,) which images are still to be asked.
        images: (n,) numbers of the images in the sample; they have a positive or a negative answer.
        is_positive: (n,) whether it is a positive one.
    """

    is_open: Flags
    images: Numbers
    is_positive: Flags

    @classmethod
    def from_order(cls, order: Numbers, is_open: Flags, is_sampled: Flags, is_positive: Flags) -> "AuditSample":
        """The images that were drawn before the first open one in random order.

        An answer that was taken back, an image that is new, or one that somebody keeps leaves a gap there. What was
        drawn beyond the gap is no random choice until it is filled.

        Args:
            order: (N,) numbers in random order.
            is_open: (N,) which images are still to be asked.
            is_sampled: (N,) which were drawn, are answered, and have not been asked for by the model.
            is_positive: (N,) which are positive.
        """
        first = int(np.argmax(is_open[order])) if is_open.any() else len(order)
        images = order[:first]
        images = images[is_sampled[images]]
        return cls(is_open, images, is_positive[images])

    @property
    def positives(self) -> int:
        """How many images of the sample are positive."""
        return int(self.is_positive.sum())

    def screening(self, positives: int) -> ScreeningState:
        """How far the work is, where so many images are positive in all, those of the sample included."""
        open_images = int(self.is_open.sum())
        remaining = Sample(open_images + len(self.images), len(self.images), self.positives)
        return ScreeningState(positives - self.positives, remaining)

    def division(self, found: int, is_above: Flags) -> Division:
        """What becomes of the images that remain if the model labels them by a threshold.

        Args:
            found: positives among the images that the model asked for.
            is_above: (N,) which images the threshold calls positive.
        """
        return Division(found, self._part(is_above), self._part(~is_above))

    def _part(self, is_part: Flags) -> Sample:
        inside = is_part[self.images]
        drawn = int(inside.sum())
        return Sample(int((self.is_open & is_part).sum()) + drawn, drawn, int(self.is_positive[inside].sum()))
