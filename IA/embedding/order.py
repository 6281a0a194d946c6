"""In which order images are embedded: a part that stands for the whole, and what could be asked next."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

REACH = 4  # places to either side in the list: the same folder, the moments before and after


class EmbeddingOrder(Iterator[int]):
    """The numbers of the images to embed, each once.

    Every other one is drawn at random: whatever is embedded stands for the whole. The others lie beside images that
    are promising: in a list of files, what was taken at the same time and place stands together. The tiles of a photo
    come one after the other, so that it is decoded once. One thread may take them while another promises.
    """

    def __init__(self, missing: NDArray[np.int64], seed: int, tiles: int = 1) -> None:
        """Begin with everything that is missing.

        Args:
            missing: (M,) numbers of images.
            seed: the order depends on it.
            tiles: how many images in a row are of one photo.
        """
        self._tiles = tiles
        self._lock = threading.Lock()
        self._waiting = set(missing.tolist())
        self._shuffled: Iterator[int] = iter(
            np.random.default_rng(seed).permutation(np.unique(missing // tiles)).tolist()
        )
        self._beside: deque[int] = deque()
        self._is_turn_of_beside = False
        self._begun: deque[int] = deque()  # what is left of a photo

    @property
    def left(self) -> int:
        """How many are still to come."""
        return len(self._waiting)

    def promise(self, images: Iterable[int]) -> None:
        """What lies beside these images, the most promising of them first, is wanted soon; earlier wishes are void."""
        steps = [step for distance in range(1, REACH + 1) for step in (distance, -distance)]
        photos = dict.fromkeys(image // self._tiles for image in images)
        wanted = dict.fromkeys(photo + step for photo in photos for step in steps)
        with self._lock:
            self._beside = deque(photo for photo in wanted if self._missing(photo))

    def __next__(self) -> int:
        """The next one to embed."""
        with self._lock:
            if not self._begun:
                self._begun.extend(self._missing(self._photo()))
            number = self._begun.popleft()
            self._waiting.remove(number)
            return number

    def _photo(self) -> int:
        """The next photo of which something is missing. Raises StopIteration where there is none."""
        self._is_turn_of_beside = not self._is_turn_of_beside
        while self._is_turn_of_beside and self._beside:
            if self._missing(photo := self._beside.popleft()):
                return photo
        for photo in self._shuffled:
            if self._missing(photo):
                return photo
        raise StopIteration

    def _missing(self, photo: int) -> list[int]:
        numbers = range(photo * self._tiles, (photo + 1) * self._tiles)
        return [number for number in numbers if number in self._waiting]
