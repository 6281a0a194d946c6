"""The order in which images are embedded: random images by turns with those that could be asked next."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

REACH = 4  # This many photos to either side in the list are preferred: the same folder, the moments before and after.


class EmbeddingOrder(Iterator[int]):
    """The numbers of the images to embed, each once.

    Every other photo is sampled at random, so that the embedded images represent the whole pool. The others lie beside
    promising images: in a list of files, photos of the same time and place stand together. The tiles of a photo follow
    one another, so that it is decoded once. One thread may take numbers while another calls `prefer_beside`.
    """

    def __init__(self, missing: NDArray[np.int64], seed: int, tiles: int = 1) -> None:
        """Begin with all images that need an embedding.

        Args:
            missing: (M,) their numbers.
            seed: of the random order.
            tiles: how many consecutive images are tiles of one photo.
        """
        self._tiles = tiles
        self._lock = threading.Lock()
        self._waiting = set(missing.tolist())
        self._shuffled: Iterator[int] = iter(
            np.random.default_rng(seed).permutation(np.unique(missing // tiles)).tolist()
        )
        self._beside: deque[int] = deque()
        self._is_turn_of_beside = False
        self._begun: deque[int] = deque()  # The remaining tiles of the photo that was taken last.

    @property
    def left(self) -> int:
        """How many images are still to come."""
        return len(self._waiting)

    def prefer_beside(self, images: Iterable[int]) -> None:
        """Take the photos beside these images soon, and forget earlier preferences.

        Args:
            images: promising ones, the most promising first.
        """
        steps = [step for distance in range(1, REACH + 1) for step in (distance, -distance)]
        photos = dict.fromkeys(image // self._tiles for image in images)
        wanted = dict.fromkeys(photo + step for photo in photos for step in steps)
        with self._lock:
            self._beside = deque(photo for photo in wanted if self._missing(photo))

    def __next__(self) -> int:
        """The next image to embed."""
        with self._lock:
            if not self._begun:
                self._begun.extend(self._missing(self._photo()))
            number = self._begun.popleft()
            self._waiting.remove(number)
            return number

    def _photo(self) -> int:
        """The next photo that needs an embedding. Raises StopIteration if there is none."""
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
