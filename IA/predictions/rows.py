"""From photos to what a predictor is asked, and from what it says to rows: of images, tiles, or photos by tiles."""

import math
from collections.abc import Container, Iterable, Iterator, Sequence

from IA.images.tiles import Grid, split
from IA.model import Checkpoint
from IA.predictions.files import COLUMNS, OF_PHOTOS, OF_TILES, PredictionRow
from IA.text.answer_words import UNREADABLE

Prediction = tuple[str, float, str]
"""Path of an image, its probability, NaN where unreadable, and then the reason."""


class Rows:
    """The rows of one labelling; a photo that cannot be read is one, whatever it would be cut into.

    Attributes:
        columns: of the rows.
        grid: that each photo is cut up by.
    """

    def __init__(self, checkpoint: Checkpoint, grid: Grid | None, rolls_up: bool) -> None:
        """Begin.

        Args:
            checkpoint: with classes and threshold.
            grid: None: a photo is an image as it is.
            rolls_up: whether a row is about a photo: as probable as its most probable tile.
        """
        self._checkpoint, self.grid, self._rolls_up = checkpoint, grid, rolls_up
        self.columns = COLUMNS if grid is None else OF_PHOTOS if rolls_up else OF_TILES
        self._last = ""  # photo that was told of
        self._failed = False  # whether that is known to be unreadable
        self._highest: PredictionRow | None = None  # of its tiles so far

    def images(self, photos: Sequence[str], known: Container[str]) -> list[str]:
        """What is to be asked about, where rows with these paths are made already."""
        to_do = [photo for photo in photos if photo not in known]
        if self.grid is None:
            return to_do
        tiles = (tile for photo in to_do for tile in self.grid.paths(photo))
        return list(tiles) if self._rolls_up else [tile for tile in tiles if tile not in known]

    def count(self, photos: Sequence[str]) -> int:
        """How many images they are in all."""
        return len(photos) * (1 if self.grid is None else len(self.grid))

    def take(self, said: Iterable[Prediction]) -> Iterator[PredictionRow]:
        """The rows that can be made now, where the images come in the order of `images`."""
        for path, probability, reason in said:
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
