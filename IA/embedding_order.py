"""In which order images are embedded: a part that stands for the whole, and what could be asked next."""

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

REACH = 4  # places to either side in the list: the same folder, the moments before and after


class EmbeddingOrder(Iterator[int]):
    """The numbers of the images to embed, each once.

    Every other one is drawn at random: whatever is embedded stands for the whole. The others lie beside images that
    are promising: in a list of files, what was taken at the same time and place stands together.
    """

    def __init__(self, missing: NDArray[np.int64], seed: int) -> None:
        """Begin with everything that is missing, in an order that depends on the seed."""
        self._waiting = set(missing.tolist())
        self._shuffled = iter(np.random.default_rng(seed).permutation(missing).tolist())
        self._beside: deque[int] = deque()
        self._is_turn_of_beside = False

    @property
    def left(self) -> int:
        """How many are still to come."""
        return len(self._waiting)

    def promise(self, images: Iterable[int]) -> None:
        """What lies beside these images, the most promising of them first, is wanted soon; earlier wishes are void."""
        steps = [step for distance in range(1, REACH + 1) for step in (distance, -distance)]
        wanted = (image + step for image in images for step in steps)
        self._beside = deque(dict.fromkeys(number for number in wanted if number in self._waiting))

    def __next__(self) -> int:
        """The next one to embed."""
        self._is_turn_of_beside = not self._is_turn_of_beside
        while self._is_turn_of_beside and self._beside:
            if (number := self._beside.popleft()) in self._waiting:
                break
        else:
            number = next(number for number in self._shuffled if number in self._waiting)
        self._waiting.remove(number)
        return number
