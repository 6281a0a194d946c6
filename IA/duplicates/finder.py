"""Near duplicates: which images are copies of one another, or frames of a burst that can hardly be told apart.

Candidates are near in the embedding (neighbours.py) and confirmed by how they look (thumbnails.py). Each group has an
image that stands for it, to which all others are alike: nothing drifts from one to the next. Files are decoded for
candidates alone, and once.
"""

import filecmp
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from IA.duplicates.neighbours import Neighbours, Numbers
from IA.duplicates.thumbnails import SIDE, Thumbnail, are_near_duplicates, is_flat, thumbnail_of
from IA.embedding.engine import usable_cores
from IA.embedding.shared import SharedEmbeddings
from IA.images.decoding import parts
from IA.images.pictures import UnreadableError
from IA.images.tiles import Tile, split_file
from IA.pool.pool import Pool
from IA.pool.view import ProjectedPool
from IA.protocol.files import DUPLICATES
from IA.protocol.pickle_file import publish, read
from IA.protocol.records import MOST_ALIKE, Duplicates
from IA.text.words import counted

log = logging.getLogger(__name__)

LEAST_COSINE = 0.85
LOOKED_AT = 4  # groups that an image is compared with at most, the nearest first
FEW = 512  # images at least that are taken up while more are to come: each time all tables are gone through
MANY = 1024
DECODED_PX = 4 * SIDE
AT_ONCE = 16
AHEAD = 64  # tiles at most that are looked at before their turn, as their photo is decoded anyway
PUBLISH_EVERY_S = 3.0


class Alike:
    """Keeps duplicates.pickle up to date with the embedded images."""

    def __init__(self, run: Path, place: Path | None = None) -> None:
        """Begin with the groups that were published, as far as their files are the same.

        Args:
            run: the run directory.
            place: what runs over one folder share, as of `folder_cache`; None: they share nothing.
        """
        self._run = run
        shared = None if place is None else place / "looks"
        self._cache = SharedEmbeddings(shared, run / "cache" / "inference" / "looks", 3 * SIDE * SIDE)
        self._looks: dict[int, Thumbnail | None] = {}  # of images that are being settled; None: unreadable
        self._keys = np.zeros(0, np.uint64)  # under which each image was looked at
        self._first = np.zeros(0, np.int32)
        self._size = np.zeros(0, np.int32)  # of the group that it stands for
        self._settled = np.zeros(0, np.bool_)
        self._indexed = np.zeros(0, np.bool_)
        self._view: ProjectedPool | None = None
        self._neighbours = Neighbours(1)
        self._pending: deque[tuple[int, Numbers]] = deque()  # images, and what is near them, the nearest first
        self._decoders = ThreadPoolExecutor(usable_cores(), "looks")
        self._to_publish = False
        self._published_s = -PUBLISH_EVERY_S
        self._begins = True

    def turn(
        self, pool: Pool, file_of: Callable[[int], Path], inside: Path | None, more: bool, enough: Callable[[], bool]
    ) -> bool:
        """One turn.

        Args:
            pool: the images.
            file_of: the file of an image.
            inside: a folder that the files must lie in; None: anywhere.
            more: whether more images are about to be embedded.
            enough: whether to stop here; always asked, also before the first.

        Returns:
            Whether there is more to do.
        """
        self._follow(pool)
        if not self._pending and not enough():
            self._take_up(least=FEW if more else 1)
        while self._pending and not enough():
            some = list(itertools.islice(self._pending, AT_ONCE))
            self._settle(some, file_of, inside)
            for _ in some:  # only now: on a full disk they are tried again
                self._pending.popleft()
        busy = bool(self._pending) or (self._view is not None and len(self._waiting()) >= (FEW if more else 1))
        if self._to_publish and (not busy or time.monotonic() - self._published_s >= PUBLISH_EVERY_S):
            self._publish()
        return busy

    def close(self) -> None:
        """End the threads."""
        self._decoders.shutdown(cancel_futures=True)

    # --- following the pool -------------------------------------------------------------------------------------------

    def _follow(self, pool: Pool) -> None:
        """Forget what was known of images that have changed, and the tables when the space has."""
        more = len(pool) - len(self._keys)
        if more:
            self._keys = np.pad(self._keys, (0, more))
            self._first = np.concatenate([self._first, np.arange(len(self._first), len(pool), dtype=np.int32)])
            self._size = np.pad(self._size, (0, more), constant_values=1)
            self._settled, self._indexed = np.pad(self._settled, (0, more)), np.pad(self._indexed, (0, more))
            self._to_publish = True
        changed = np.flatnonzero(self._keys != pool.keys)
        if len(changed):
            self._unsettle(changed)
            self._keys = pool.keys.copy()
        if self._begins and len(pool):
            self._begins = False
            self._resume()
        if pool.view is not self._view:
            self._view = pool.view
            self._indexed[:] = False
            self._pending.clear()
            if self._view is not None:
                self._neighbours = Neighbours(self._view.space.basis.shape[1])

    def _resume(self) -> None:
        """Take up the groups that were published, as far as the looks of their images are still theirs."""
        try:
            first = np.asarray(read(self._run, DUPLICATES).content.first)[: len(self._first)]
        except (OSError, ValueError):
            return
        numbers = np.flatnonzero(first != np.arange(len(first)))
        numbers = numbers[first[numbers] < len(first)]
        known = (self._cache.rows(self._keys[numbers]) >= 0) & (self._cache.rows(self._keys[first[numbers]]) >= 0)
        numbers = numbers[known & (self._keys[numbers] != 0) & (self._keys[first[numbers]] != 0)]
        self._first[numbers] = first[numbers]
        np.add.at(self._size, first[numbers], 1)
        self._settled[numbers] = self._settled[first[numbers]] = True

    def _unsettle(self, numbers: Numbers) -> None:
        """These are to be looked at anew, and those that they stand for."""
        numbers = np.flatnonzero(np.isin(self._first, numbers) | np.isin(np.arange(len(self._first)), numbers))
        stood_for = self._first[numbers]
        self._to_publish |= bool((stood_for != numbers).any())
        np.subtract.at(self._size, stood_for[stood_for != numbers], 1)
        self._first[numbers] = numbers
        self._settled[numbers] = self._indexed[numbers] = False
        self._neighbours.forget(numbers)
        gone = set(numbers.tolist())
        self._pending = deque(entry for entry in self._pending if entry[0] not in gone)

    # --- candidates ---------------------------------------------------------------------------------------------------

    def _waiting(self) -> Numbers:
        """Embedded images that are not in the tables, and belong there: not what another one stands for."""
        embedded = self._view.embedded if self._view is not None else np.zeros(0, np.int64)
        waiting: Numbers = embedded[~self._indexed[embedded] & (self._first[embedded] == embedded)]
        return waiting

    def _take_up(self, least: int) -> None:
        """Put some images into the tables, and note what is near to those that are not settled."""
        numbers = self._waiting()
        if self._view is None or len(numbers) < max(least, 1):
            return
        numbers = numbers[:MANY]
        codes = self._neighbours.add(numbers, self._view.vectors(numbers))
        self._indexed[numbers] = True
        open_ = ~self._settled[numbers]
        one, other, cosine = self._neighbours.pairs(numbers[open_], codes[open_], self._view.vectors, LEAST_COSINE)
        order = np.lexsort((-cosine, one))
        one, other = one[order], other[order]
        begins = np.searchsorted(one, numbers[open_], side="left")
        ends = np.searchsorted(one, numbers[open_], side="right")
        for number, begin, end in zip(numbers[open_].tolist(), begins, ends, strict=True):
            if begin == end:
                self._settled[number] = True
            else:
                self._pending.append((number, other[begin:end]))

    # --- confirmation -------------------------------------------------------------------------------------------------

    def _settle(
        self, entries: Sequence[tuple[int, Numbers]], file_of: Callable[[int], Path], inside: Path | None
    ) -> None:
        """Put images into the group that they are alike to, or let them stand alone."""
        wanted = {number for number, near in entries for number in (number, *self._stand_for(near))}
        self._look_at(wanted.union(self._beside(entries[-1][0], file_of)), file_of, inside)
        for number, near in entries:
            if self._settled[number]:  # before the disk was full
                continue
            look = self._looks.get(number)
            for first in self._stand_for(near):
                if first not in self._looks:  # one that was settled just now
                    self._look_at([first], file_of, inside)
                other = self._looks[first]
                if look is None or other is None or first == number:
                    continue
                if _are_near_duplicates(look, other, file_of(number), file_of(first)):
                    self._first[number] = first
                    self._size[first] += 1
                    self._neighbours.forget(np.array([number]))
                    self._to_publish = True
                    break
            self._settled[number] = True
        self._looks.clear()  # they are in the cache

    def _stand_for(self, near: Numbers) -> list[int]:
        """The images that stand for settled ones, the nearest first; those of full groups left out."""
        firsts = dict.fromkeys(self._first[near[self._settled[near]]].tolist())
        return [first for first in firsts if self._size[first] < MOST_ALIKE][:LOOKED_AT]

    def _beside(self, number: int, file_of: Callable[[int], Path]) -> list[int]:
        """What comes later and is of the same photo as the last of the next ones: that is decoded once."""
        photo, tile = split_file(file_of(number))
        if tile is None:
            return []
        coming = (number for number, _ in itertools.islice(self._pending, AT_ONCE, AT_ONCE + AHEAD))
        return list(itertools.takewhile(lambda number: split_file(file_of(number))[0] == photo, coming))

    def _look_at(self, numbers: Iterable[int], file_of: Callable[[int], Path], inside: Path | None) -> None:
        """Find or make the looks of these images."""
        missing = np.array([number for number in numbers if number not in self._looks], np.int64)
        self._cache.follow()
        rows = self._cache.rows(self._keys[missing])
        stored = self._cache.vectors(rows[rows >= 0]).astype(np.uint8).reshape(-1, 3, SIDE, SIDE)
        self._looks |= dict(zip(missing[rows >= 0].tolist(), stored, strict=True))
        fresh = missing[rows < 0].tolist()
        decoded = self._decoders.map(lambda some: _decoded(some[0], some[1], inside), _by_photo(fresh, file_of))
        looks = dict(itertools.chain.from_iterable(found.items() for found in decoded))
        self._looks |= looks
        made = [(number, look) for number, look in looks.items() if look is not None]
        if made:
            keys = self._keys[[number for number, _ in made]]
            sound = keys != 0
            vectors = np.stack([look.ravel() for _, look in made]).astype(np.float32)
            self._cache.append(keys[sound], vectors[sound])

    def _publish(self) -> None:
        try:
            publish(self._run, DUPLICATES, Duplicates(self._first.data))
        except OSError as error:
            log.warning("%s could not be published (%s); trying again", DUPLICATES.name, error)
            return
        self._to_publish = False
        self._published_s = time.monotonic()
        copies = int((self._first != np.arange(len(self._first))).sum())
        copied = counted(copies, "image is a copy", "images are copies")
        log.info("near duplicates: %s of %d", copied, int((self._size > 1).sum()))


def _are_near_duplicates(a: Thumbnail, b: Thumbnail, file: Path, other: Path) -> bool:
    """Whether they look alike; flat pictures only if they are the same file, or the same tile of such photos."""
    if is_flat(a) or is_flat(b):
        (photo, tile), (other_photo, other_tile) = split_file(file), split_file(other)
        try:
            return tile == other_tile and filecmp.cmp(photo, other_photo, shallow=False)
        except (OSError, ValueError):
            return False
    return are_near_duplicates(a, b)


def _by_photo(numbers: Iterable[int], file_of: Callable[[int], Path]) -> list[tuple[Path, dict[int, Tile | None]]]:
    """Photos, each with which tiles of it these images are, of one grid; None: all of it."""
    photos: dict[tuple[Path, tuple[int, int] | None], dict[int, Tile | None]] = {}
    for number in numbers:
        photo, tile = split_file(file_of(number))
        grid = None if tile is None else (tile.columns, tile.rows)
        photos.setdefault((photo, grid), {})[number] = tile
    return [(photo, tiles) for (photo, _), tiles in photos.items()]


def _decoded(photo: Path, tiles: dict[int, Tile | None], inside: Path | None) -> dict[int, Thumbnail | None]:
    """The looks of some tiles of a photo, all of one grid, or of all of it; None where they cannot be had."""
    try:
        shown = parts(photo, list(tiles.values()), DECODED_PX, inside)
    except (UnreadableError, OSError, ValueError) as error:
        log.debug("%s has no look: %s", photo, error)
        return dict.fromkeys(tiles)
    return {number: thumbnail_of(pixels) for number, pixels in zip(tiles, shown, strict=True)}
