"""Finds the images that the rows of a long table mean, and keeps of each row no more than its score.

Exact names are looked up at once. The other rows whose file name some image has wait for one another, because it takes
several to see that a folder was moved; each batch of them is matched as the labels of an import are.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

from backend.images.images import Images
from backend.imports.addresses import AddressReading, path_of, readings
from backend.imports.labelled import Labelled
from backend.imports.matching import Move, caseless, match
from backend.imports.plan import readings_of
from IA.images.tiles import MARK, photo_of, split
from IA.protocol.records import Scores

BATCH = 20_000
FEW = 0.01  # A batch of which a smaller share is found is in vain.
MOST_IN_VAIN = 2  # After so many batches in vain only exact names count, and the move that was found.


class _Photos:
    """Whether a path is a photo of the run; a set of a million would take 150 MB."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def __contains__(self, path: object) -> bool:
        grid = self._images.grid
        return (
            isinstance(path, str) and self._images.number(path if grid is None else next(grid.paths(path))) is not None
        )


class ScoreSearch:
    """Takes row after row; of two scores for an image the later one counts.

    Attributes:
        unknown: rows that name no image, or may mean several; complete after `outcome`.
        example: the address in one of them.
    """

    def __init__(self, images: Images) -> None:
        """Search among the images that are published now."""
        self.unknown = 0
        self.example = ""
        self._images = images
        self._count = images.published
        self._inside = f"{images.datadir}/"
        self._photos = _Photos(images)
        self._row = 0
        self._scores = array("f", bytes(4 * self._count))
        self._rows = array("q", bytes(8 * self._count))  # The row of each score, counted from 1; 0: there is none.
        self._of_photos: dict[int, tuple[int, float]] = {}  # Row and score by the first tile of the photo.
        self._twice: set[int] = set()
        self._open: dict[str, tuple[int, float, int]] = {}  # By name: the last row, its score, and how many rows.
        self._differing: set[str] = set()  # The names among these with two different scores.
        self._readings: dict[str, Sequence[AddressReading]] = {}
        self._move: Move | None = None
        self._in_vain = 0
        self._names: _Names | None = None

    def take(self, address: str, tile: str, score: float) -> None:
        """Take a row.

        Args:
            address: of the image, as in the file.
            tile: the part of the photo that the score is about, if a column of its own says it; "": none does.
            score: finite.
        """
        self._row += 1
        end = f"{MARK}{tile}" if tile else ""
        if self._settle(f"{address.removeprefix(self._inside)}{end}", self._row, score):
            return
        if self._move is not None and self._settle(f"{self._moved(address)}{end}", self._row, score):
            return
        if self._names is None:
            self._names = _Names(self._images)
        if _is_bare(address) and self._settle(f"{self._names.only(address)}{end}", self._row, score):
            return
        if not self._names.has(address) or self._in_vain >= MOST_IN_VAIN:
            self._leave_out(address)
            return
        name, meant = readings_of(Labelled(address, (), tile=tile), self._photos)
        before = self._open.get(name)
        if before is not None and before[1] != score:
            self._differing.add(name)
        self._open[name] = self._row, score, 1 if before is None else 1 + before[2]
        self._readings[name] = meant
        if len(self._open) >= BATCH:
            self._match()

    def outcome(self) -> tuple[Scores, int]:
        """The scores, and how many images have two different ones, after the last row."""
        if self._open:
            self._match()
        tiles = self._images.tiles
        for first, (row, score) in self._of_photos.items():
            for number in range(first, first + tiles):
                if not self._rows[number]:
                    self._scores[number], self._rows[number] = score, row
        numbers = np.flatnonzero(np.asarray(self._rows)).astype(np.int32)
        scores = np.asarray(self._scores)[numbers]
        found = Scores(memoryview(array("i", numbers.tobytes())), memoryview(array("f", scores.tobytes())))
        return found, len(self._twice)

    def _settle(self, path: str, row: int, score: float) -> bool:
        """Give an image, or a photo for its tiles, its score; False: there is no such image."""
        number = self._images.number(path)
        if number is not None and number < self._count:
            before = self._rows[number]
            if before and self._scores[number] != np.float32(score):
                self._twice.add(number)
            if row > before:
                self._scores[number], self._rows[number] = score, row
            return True
        grid = self._images.grid
        first = None if grid is None else self._images.number(next(grid.paths(path)))
        if first is None or first >= self._count:
            return False
        earlier = self._of_photos.get(first)
        if earlier is not None and earlier[1] != score:
            self._twice.add(first)
        if earlier is None or row > earlier[0]:
            self._of_photos[first] = row, score
        return True

    def _moved(self, address: str) -> str:
        """Where an image is now, if it was moved as those before were."""
        before, after = self._move or ("", "")
        path = path_of(address)
        return f"{after}{path.removeprefix(before)}" if before and path.startswith(before) else ""

    def _match(self) -> None:
        """Match the rows that wait."""
        names = self._names or _Names(self._images)
        among = names.images(reading.path for several in self._readings.values() for reading in several)
        matches = match(self._open, among, str(self._images.datadir), self._readings)
        self._move = matches.move or self._move
        count = len(self._open)
        for name, (row, score, rows) in self._open.items():
            image = matches.images.get(name)
            if image is None or not self._settle(image, row, score):
                self._leave_out(name, rows)
            elif name in self._differing:
                self._twice.add(self._images.number(image) or 0)
        self._open, self._readings, self._differing = {}, {}, set()
        self._in_vain = self._in_vain + 1 if len(matches.images) < FEW * count else 0

    def _leave_out(self, address: str, rows: int = 1) -> None:
        self.unknown += rows
        self.example = self.example or address


class _Names:
    """The file names of all photos, as sorted hashes: a dict of a million would take 150 MB."""

    def __init__(self, images: Images) -> None:
        self._images = images
        firsts = range(0, images.published, images.tiles)
        exact = np.fromiter((hash(_name(self._photo(first))) for first in firsts), np.int64, len(firsts))
        order = np.argsort(exact)
        self._exact = array("q", exact[order].tobytes())
        self._firsts = array("q", (order * images.tiles).tobytes())
        self._by_photo = np.fromiter((_caseless(self._photo(first)) for first in firsts), np.int64, len(firsts))
        self._folded = array("q", np.unique(self._by_photo).tobytes())

    def only(self, name: str) -> str:
        """The path of the only photo that has this file name; "": there is none, or there are several."""
        wanted = hash(name)
        place = bisect_left(self._exact, wanted)
        if self._exact[place : place + 1].tolist() != [wanted] or wanted in self._exact[place + 1 : place + 2]:
            return ""
        photo = self._photo(self._firsts[place])
        return photo if _name(photo) == name else ""

    def has(self, address: str) -> bool:
        """Whether some photo has the file name of an address, whatever its case; only such a row can mean one."""
        photo, _ = split(address)
        for reading in readings(photo):
            wanted = _caseless(reading.path)
            place = bisect_left(self._folded, wanted)
            if place < len(self._folded) and self._folded[place] == wanted:
                return True
        return False

    def images(self, paths: Iterable[str]) -> list[str]:
        """The images with the file names of these paths, whatever their case; with a grid their photos too."""
        wanted = np.fromiter({_caseless(split(path)[0]) for path in paths}, np.int64)
        tiles, found = self._images.tiles, np.flatnonzero(np.isin(self._by_photo, wanted)).tolist()
        images = [self._images.path(number) for place in found for number in range(place * tiles, (place + 1) * tiles)]
        return images if tiles == 1 else [*images, *(self._photo(place * tiles) for place in found)]

    def _photo(self, number: int) -> str:
        return photo_of(self._images.path(number))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _caseless(path: str) -> int:
    return hash(caseless(_name(path)))


def _is_bare(address: str) -> bool:
    return "/" not in address and "\\" not in address
