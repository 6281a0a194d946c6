"""The number that each image keeps for good, and images.pickle, which publishes the numbers."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from backend.images.paths import Paths
from IA.images.tiles import Grid
from IA.protocol import pickle_file, watching
from IA.protocol.files import IMAGES

log = logging.getLogger(__name__)


class Numbers:
    """Gives every image a number, remembers which images are gone, and publishes the paths.

    Only the thread that follows the folder changes them. It calls `on_change(number)` for each image that came, went,
    came back or was rewritten; for an image that came, only after images.pickle has it. From then on the number always
    belongs to that image.
    """

    def __init__(self, run: Path, datadir: Path, on_change: Callable[[int], None], grid: Grid | None) -> None:
        """Begin with the images that the run has."""
        self.tiles = len(grid) if grid else 1  # number of images in a file
        self.gone: set[int] = set()
        self._run = run
        self._datadir = datadir
        self._on_change = on_change
        self._grid = grid
        before = watching.Latest(run, IMAGES).content()
        self.paths = Paths(before)
        self._published = -1 if before is None else len(self.paths)
        self._is_publishing_again = False
        self._is_failing = False

    @property
    def published(self) -> int:
        """How many images images.pickle has."""
        return max(0, self._published)

    def relative(self, path: Path | str) -> str:
        """A path relative to DATADIR."""
        return os.path.relpath(path, self._datadir).replace(os.sep, "/")

    def of_file(self, file: str) -> range | None:
        """The number of a file, or the numbers of its tiles; None if it was never there."""
        first = self.paths.number(file if self._grid is None else next(self._grid.paths(file)))
        return None if first is None else range(first, first + self.tiles)

    def inside(self, relative: str) -> list[int]:
        """The numbers of the file at this path, or of all files below it if it was a folder."""
        numbers = self.of_file(relative)
        if numbers is not None:
            return list(numbers)
        folder = f"{relative}/"
        return [number for number, path in enumerate(self.paths) if path.startswith(folder)]

    def add(self, file: str) -> range:
        """Note that a file is there; it gets new numbers if it was never there before."""
        numbers = self.of_file(file)
        if numbers is None:
            first, *_ = [self.paths.add(path) for path in (self._grid.paths(file) if self._grid else [file])]
            return range(first, first + self.tiles)
        for number in numbers:
            if number in self.gone:
                self.gone.discard(number)
                self.report(number)
        return numbers

    def remove(self, number: int) -> None:
        """Note that an image is gone."""
        self.gone.add(number)
        self.report(number)

    def report(self, number: int) -> None:
        """Call `on_change`, unless the number has not been published yet."""
        if number < self._published:
            self._on_change(number)

    def report_all(self) -> None:
        """Call `on_change` for every number."""
        for number in range(len(self.paths)):
            self._on_change(number)

    def publish_again(self) -> None:
        """Have the next `publish` write images.pickle even if nothing has changed."""
        self._is_publishing_again = True

    def publish(self, again: bool = False) -> None:
        """Publish the paths if there are new ones; `again` makes the loops see that a file has changed."""
        if len(self.paths) == self._published and not again and not self._is_publishing_again:
            return
        self._is_publishing_again = False
        try:
            pickle_file.publish(self._run, IMAGES, self.paths.as_list())
        except OSError as error:
            if not self._is_failing:
                log.warning("images.pickle could not be published (%s); trying again", error)
            self._is_failing = self._is_publishing_again = True
            return
        self._is_failing = False
        before, self._published = max(self._published, 0), len(self.paths)
        for number in range(before, self._published):
            self._on_change(number)
