"""Finds near duplicates: copies of one image, and frames of a burst that a person can hardly tell apart.

Candidates are near one another in the embedding (neighbours.py), and their thumbnails confirm them (thumbnails.py).
Each group has a representative of which every other image is a near duplicate, so that a group cannot drift from one
image to the next. Only the files of candidates are decoded, each once.
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

LEAST_COSINE = 0.85  # Images are candidates from this cosine on.
MOST_COMPARED = 4  # An image is compared with the representatives of this many groups at most, the nearest first.
FEW = 512  # While more images are to come, at least this many are indexed at once: each time goes through all tables.
MANY = 1024  # At most this many images are indexed at once.
DECODED_PX = 4 * SIDE
AT_ONCE = 16  # Candidates are compared this many at a time.
AHEAD = 64  # At most this many later tiles are decoded early, because their photo is decoded anyway.
PUBLISH_EVERY_S = 3.0


class DuplicateFinder:
    """Keeps duplicates.pickle up to date with the embedded images.

    An image is indexed once its vector is in the tables, and settled once its group is known.
    """

    def __init__(self, run: Path, place: Path | None = None) -> None:
        """Begin with the published groups of images whose files have not changed.

        Args:
            run: the run directory.
            place: the folder of caches that runs over the same images share, see `folder_cache`; None: this run shares
                none.
        """
        self._run = run
        shared = None if place is None else place / "looks"  # named before they were called thumbnails
        self._cache = SharedEmbeddings(shared, run / "cache" / "inference" / "looks", 3 * SIDE * SIDE)
        self._thumbnails: dict[int, Thumbnail | None] = {}  # Of the images that are being settled; None: unreadable.
        self._keys = np.zeros(0, np.uint64)  # The key under which each image was last seen.
        self._first = np.zeros(0, np.int32)  # The representative of each image's group.
        self._size = np.zeros(0, np.int32)  # The size of the group that each image represents.
        self._settled = np.zeros(0, np.bool_)
        self._indexed = np.zeros(0, np.bool_)
        self._view: ProjectedPool | None = None
        self._neighbours = Neighbours(1)
        self._pending: deque[tuple[int, Numbers]] = (
            deque()
        )  # Images to settle, each with its neighbours, nearest first.
        self._decoders = ThreadPoolExecutor(usable_cores(), "thumbnails")
        self._to_publish = False
        self._published_s = -PUBLISH_EVERY_S
        self._begins = True

    def turn(
        self, pool: Pool, file_of: Callable[[int], Path], inside: Path | None, more: bool, enough: Callable[[], bool]
    ) -> bool:
        """Index some images, settle some, and publish the groups if they have changed.

        Args:
            pool: the images.
            file_of: gives the file of an image.
            inside: a folder that the files must lie in; None: anywhere.
            more: whether more images are about to be embedded.
            enough: whether to stop; asked before each step, the first one too.

        Returns:
            Whether there is more to do.
        """
        self._follow(pool)
        if not self._pending and not enough():
            self._index(least=FEW if more else 1)
        while self._pending and not enough():
            some = list(itertools.islice(self._pending, AT_ONCE))
            self._settle(some, file_of, inside)
            for _ in some:  # only after they are settled, so that after a full disk they are tried again
                self._pending.popleft()
        busy = bool(self._pending) or (self._view is not None and len(self._waiting()) >= (FEW if more else 1))
        if self._to_publish and (not busy or time.monotonic() - self._published_s >= PUBLISH_EVERY_S):
            self._publish()
        return busy

    def close(self) -> None:
        """End the threads that decode."""
        self._decoders.shutdown(cancel_futures=True)

    # --- following the pool -------------------------------------------------------------------------------------------

    def _follow(self, pool: Pool) -> None:
        """Forget the groups of images that have changed, and the tables if the space has changed."""
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
        """Take up the published groups, as far as the cache has thumbnails of both images as they are now."""
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
        """Settle these images anew, and the images that they represent."""
        numbers = np.flatnonzero(np.isin(self._first, numbers) | np.isin(np.arange(len(self._first)), numbers))
        first = self._first[numbers]
        self._to_publish |= bool((first != numbers).any())
        np.subtract.at(self._size, first[first != numbers], 1)
        self._first[numbers] = numbers
        self._settled[numbers] = self._indexed[numbers] = False
        self._neighbours.forget(numbers)
        gone = set(numbers.tolist())
        self._pending = deque(entry for entry in self._pending if entry[0] not in gone)

    # --- candidates ---------------------------------------------------------------------------------------------------

    def _waiting(self) -> Numbers:
        """Embedded images that are not indexed and have no representative but themselves."""
        embedded = self._view.embedded if self._view is not None else np.zeros(0, np.int64)
        waiting: Numbers = embedded[~self._indexed[embedded] & (self._first[embedded] == embedded)]
        return waiting

    def _index(self, least: int) -> None:
        """Put some images into the tables, and note the neighbours of those that are not settled."""
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
        """Put images into the groups of which they are near duplicates, or let them stand alone."""
        wanted = {number for number, near in entries for number in (number, *self._representatives(near))}
        self._make_thumbnails(wanted.union(self._later_tiles(entries[-1][0], file_of)), file_of, inside)
        for number, near in entries:
            if self._settled[number]:  # in an earlier turn, before the disk was full
                continue
            thumbnail = self._thumbnails.get(number)
            for first in self._representatives(near):
                if first not in self._thumbnails:  # it was settled just now
                    self._make_thumbnails([first], file_of, inside)
                other = self._thumbnails[first]
                if thumbnail is None or other is None or first == number:
                    continue
                if _are_near_duplicates(thumbnail, other, file_of(number), file_of(first)):
                    self._first[number] = first
                    self._size[first] += 1
                    self._neighbours.forget(np.array([number]))
                    self._to_publish = True
                    break
            self._settled[number] = True
        self._thumbnails.clear()  # the cache has them

    def _representatives(self, near: Numbers) -> list[int]:
        """The representatives of the settled images among these, the nearest first, without those of full groups."""
        firsts = dict.fromkeys(self._first[near[self._settled[near]]].tolist())
        return [first for first in firsts if self._size[first] < MOST_ALIKE][:MOST_COMPARED]

    def _later_tiles(self, number: int, file_of: Callable[[int], Path]) -> list[int]:
        """Later tiles of the photo at the end of this batch, so that the photo is decoded once."""
        photo, tile = split_file(file_of(number))
        if tile is None:
            return []
        coming = (number for number, _ in itertools.islice(self._pending, AT_ONCE, AT_ONCE + AHEAD))
        return list(itertools.takewhile(lambda number: split_file(file_of(number))[0] == photo, coming))

    def _make_thumbnails(self, numbers: Iterable[int], file_of: Callable[[int], Path], inside: Path | None) -> None:
        """Find the thumbnails of these images in the cache, or make them."""
        missing = np.array([number for number in numbers if number not in self._thumbnails], np.int64)
        self._cache.follow()
        rows = self._cache.rows(self._keys[missing])
        stored = self._cache.vectors(rows[rows >= 0]).astype(np.uint8).reshape(-1, 3, SIDE, SIDE)
        self._thumbnails |= dict(zip(missing[rows >= 0].tolist(), stored, strict=True))
        fresh = missing[rows < 0].tolist()
        decoded = self._decoders.map(lambda some: _decoded(some[0], some[1], inside), _by_photo(fresh, file_of))
        thumbnails = dict(itertools.chain.from_iterable(found.items() for found in decoded))
        self._thumbnails |= thumbnails
        made = [(number, thumbnail) for number, thumbnail in thumbnails.items() if thumbnail is not None]
        if made:
            keys = self._keys[[number for number, _ in made]]
            sound = keys != 0
            vectors = np.stack([thumbnail.ravel() for _, thumbnail in made]).astype(np.float32)
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
    """Whether two images are near duplicates; flat ones only if they are the same file, or the same tile of copies."""
    if is_flat(a) or is_flat(b):
        (photo, tile), (other_photo, other_tile) = split_file(file), split_file(other)
        try:
            return tile == other_tile and filecmp.cmp(photo, other_photo, shallow=False)
        except (OSError, ValueError):
            return False
    return are_near_duplicates(a, b)


def _by_photo(numbers: Iterable[int], file_of: Callable[[int], Path]) -> list[tuple[Path, dict[int, Tile | None]]]:
    """The images grouped by photo and grid: each photo with the tiles that its images are, None for a whole photo."""
    photos: dict[tuple[Path, tuple[int, int] | None], dict[int, Tile | None]] = {}
    for number in numbers:
        photo, tile = split_file(file_of(number))
        grid = None if tile is None else (tile.columns, tile.rows)
        photos.setdefault((photo, grid), {})[number] = tile
    return [(photo, tiles) for (photo, _), tiles in photos.items()]


def _decoded(photo: Path, tiles: dict[int, Tile | None], inside: Path | None) -> dict[int, Thumbnail | None]:
    """The thumbnails of tiles of a photo, all of one grid, or of the whole photo; None if it cannot be decoded."""
    try:
        shown = parts(photo, list(tiles.values()), DECODED_PX, inside)
    except (UnreadableError, OSError, ValueError) as error:
        log.debug("%s has no thumbnail: %s", photo, error)
        return dict.fromkeys(tiles)
    return {number: thumbnail_of(pixels) for number, pixels in zip(tiles, shown, strict=True)}
