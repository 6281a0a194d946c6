"""From photos to the images to predict, and from predictions to rows: one for each image, tile or photo."""

import math
from collections.abc import Container, Iterable, Iterator, Sequence

from IA.images.tiles import Grid, split
from IA.model import Checkpoint
from IA.predictions.files import COLUMNS, OF_PHOTOS, OF_TILES, PredictionRow
from IA.text.answer_words import UNREADABLE

Prediction = tuple[str, float, str]
"""The path of an image; its probability, which is NaN if the image is unreadable; and then the reason."""


class Rows:
    """Makes the rows of one folder. A photo that cannot be read is one row, even if a grid would cut it up.

    Attributes:
        columns: the columns of the rows.
        grid: the grid that cuts up each photo; None: a photo is one image.
    """

    def __init__(self, checkpoint: Checkpoint, grid: Grid | None, rolls_up: bool) -> None:
        """Begin without rows.

        Args:
            checkpoint: it has the classes and the threshold.
            grid: the grid that cuts up each photo; None: a photo is one image.
            rolls_up: whether a row is about a photo, which is as probable as its most probable tile.
        """
        self._checkpoint, self.grid, self._rolls_up = checkpoint, grid, rolls_up
        self.columns = COLUMNS if grid is None else OF_PHOTOS if rolls_up else OF_TILES
        self._last = ""  # the photo of the last prediction
        self._failed = False  # whether that photo is unreadable
        self._highest: PredictionRow | None = None  # the row of its most probable tile so far

    def images(self, photos: Sequence[str], known: Container[str]) -> list[str]:
        """The images to predict; rows with the paths in `known` exist already."""
        to_do = [photo for photo in photos if photo not in known]
        if self.grid is None:
            return to_do
        tiles = (tile for photo in to_do for tile in self.grid.paths(photo))
        return list(tiles) if self._rolls_up else [tile for tile in tiles if tile not in known]

    def count(self, photos: Sequence[str]) -> int:
        """How many images these photos are in all."""
        return len(photos) * (1 if self.grid is None else len(self.grid))

    def take(self, predicted: Iterable[Prediction]) -> Iterator[PredictionRow]:
        """The rows that these predictions complete; they must come in the order of `images`."""
        for path, probability, reason in predicted:
            photo, tile = split(path)
            if photo != self._last:
                self._last, self._failed, self._highest = photo, False, None
            if self._failed:
                continue
            if math.isnan(probability):
                self._failed = True
                yield PredictionRow(photo, math.nan, UNREADABLE, reason)
            elif tile is None or not self._rolls_up:
                yield PredictionRow(path, probability, self._label(probability))
            else:
                if self._highest is None or probability > self._highest.probability:
                    self._highest = PredictionRow(photo, probability, self._label(probability), tile=str(tile))
                if (tile.column, tile.row) == (tile.columns, tile.rows):
                    yield self._highest

    def _label(self, probability: float) -> str:
        return self._checkpoint.classes["positive" if probability >= self._checkpoint.threshold else "negative"]
