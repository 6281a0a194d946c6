"""What is known of each image, and of near duplicates together: whether it is to be asked, and why not."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from IA.duplicates.groups import AWAY, DuplicateGroups, ImageState, Numbers, States

OF_ANSWER = ImageState.ANSWERED | ImageState.DRAWN | ImageState.POSITIVE | ImageState.NEGATIVE
PASSED = int(ImageState.ANSWERED | ImageState.DRAWN)  # a plain int: numpy would widen bytes for anything else
WHETHER_PASSED = PASSED | AWAY


class ImageStates:
    """The state of each image and of each unit, which is an image with its near duplicates.

    A state is 0 while the image or unit is to be asked. The queue changes states under its lock; whoever only looks
    needs none.

    Attributes:
        left: how many images are to be asked.
    """

    def __init__(self) -> None:
        self.left = 0
        self._images = bytearray()
        self._units = bytearray()  # by the number of the image that stands for the unit
        self._groups = DuplicateGroups()

    def __len__(self) -> int:
        """How many images are known."""
        return len(self._images)

    # --- changing -----------------------------------------------------------------------------------------------------

    def put(self, image: int, reasons: int, now: int) -> bool:
        """Let those of some reasons that are in `now` hold for an image, and the others of them not.

        Returns:
            Whether an image or unit is to be asked or passed that was not before.
        """
        is_new = image >= len(self._images)
        while image >= len(self._images):
            self._images.append(0)
            self._units.append(0)
            self.left += 1
        before = self._images[image]
        after = before & ~reasons | now
        self._images[image] = after
        self.left += (after == 0) - (before == 0)
        unit = self._groups.of(image)
        unit_before = self._units[unit]
        members = self._groups.members(unit)
        unit_after = (
            after if len(members) == 1 else DuplicateGroups.together(self._images[member] for member in members)
        )
        self._units[unit] = unit_after
        return is_new or _comes_back(before, after) or _comes_back(unit_before, unit_after)

    def group(self, first: Numbers) -> None:
        """Take near duplicates together from now on.

        Args:
            first: (N,) the number of the unit of each image; images beyond them stand alone.
        """
        for image in range(len(self._images), len(first)):
            self.put(image, ImageState.GONE, ImageState.GONE)  # until it is marked
        self._groups = DuplicateGroups(first)
        self._units = bytearray(self._groups.states(np.frombuffer(bytes(self._images), np.uint8)).tobytes())

    # --- looking at images --------------------------------------------------------------------------------------------

    def __getitem__(self, image: int) -> int:
        """The state of an image; IndexError where it is not known."""
        return self._images[image]

    @property
    def of_images(self) -> States:
        """The states of all images, (N,); they change under the hands of the queue alone."""
        return np.frombuffer(self._images, np.uint8)

    def is_open(self, image: int) -> bool:
        """Whether an image is to be asked."""
        return image < len(self._images) and not self._images[image]

    def has(self, image: int, reason: ImageState) -> bool:
        """Whether something is true of an image."""
        return image < len(self._images) and bool(self._images[image] & reason)

    # --- looking at units ---------------------------------------------------------------------------------------------

    @property
    def of_units(self) -> States:
        """The states of all units, (N,), each by the number of the image that stands for it."""
        return np.frombuffer(self._units, np.uint8)

    @property
    def copies(self) -> int:
        """How many images are near duplicates of another one."""
        return self._groups.copies

    @property
    def is_divided(self) -> bool:
        """Whether near duplicates are known at all."""
        return len(self._groups) > 0

    def copied(self) -> list[tuple[int, int]]:
        """Each image that has near duplicates, with the one that stands for them."""
        return self._groups.pairs

    def unit(self, image: int) -> int:
        """The unit of an image."""
        return self._groups.of(image)

    def members(self, image: int) -> list[int]:
        """An image and its near duplicates."""
        groups = self._groups
        return groups.members(groups.of(image))

    def open_members(self, image: int) -> list[int]:
        """An image, and those near duplicates of it that are still to be asked."""
        return [member for member in self.members(image) if member == image or not self._images[member]]

    def among(self, image: int, numbers: Iterable[int]) -> list[int]:
        """Those of these numbers that are near duplicates of an image, and there."""
        members = set(self.members(image)) - {image}
        return [other for other in dict.fromkeys(numbers) if other in members and not self._images[other] & AWAY]

    def shown(self, unit: int) -> int:
        """The image that represents a unit; for a unit to skip over, one of its answered images."""
        is_open = not self._units[unit]
        for member in (unit, *self._groups.members(unit)):
            state = self._images[member]
            if not state if is_open else state & PASSED == PASSED:
                return member
        return unit


def is_to_pass(states: Any) -> Any:
    """Whether an image or unit is open, or was drawn and the model has not selected it; for one state or for many."""
    return (states == 0) | (states & WHETHER_PASSED == PASSED)


def _comes_back(before: int, after: int) -> bool:
    """Whether it is to be asked or passed again."""
    return bool((before and not after) or (is_to_pass(after) and not is_to_pass(before)))
