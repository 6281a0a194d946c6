"""The cache of embeddings: append-only files, memory-mapped, with one writer at a time, and free to be deleted."""

import hashlib
import itertools
import logging
import mmap
import os
import struct
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from IA.images.tiles import photo_of

log = logging.getLogger(__name__)

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Words = NDArray[np.uint64]

HEADER = struct.Struct("<8sQ")  # magic, dimension
MAGIC = b"IAembed3"
MAGIC_2 = b"IAembed2"  # of earlier versions: a checksum that does not know the key
CHUNK_ROWS = 4096
SUM_SEED = np.uint64(0x1A)  # a row of zeros is none of ours
KEY_FACTOR = np.uint64(0x9E3779B97F4A7C15)
LARGEST = float(np.finfo(np.float16).max)


def key(datadir: Path, path: str) -> int | None:
    """What names an image's embedding: another path, size or time of change is another key.

    Args:
        datadir: the image folder.
        path: of the image, relative to it; of a tile the file is that of its photo.

    Returns:
        64 bits, never 0; None where there is no such file.
    """
    return next(keys(datadir, [path]))


def keys(datadir: Path, paths: Iterable[str]) -> Iterator[int | None]:
    """The same of many; for tiles of a photo that follow one another the file is looked at once."""
    for photo, group in itertools.groupby(paths, key=photo_of):
        try:
            status = os.stat(os.path.join(datadir, photo))  # noqa: PTH116, PTH118 - a million of them, in half the time
        except (OSError, ValueError):
            yield from (None for _ in group)
            continue
        seen = _seen(status.st_size, status.st_mtime_ns)
        for path in group:
            digest = hashlib.blake2b(os.fsencode(path) + seen, digest_size=8).digest()
            yield int.from_bytes(digest, "little") or 1


def _seen(size: int, changed_ns: int) -> bytes:
    """Size and time of change of a file, however large or early they are: a file system may hold any time.

    What fits into 64 bits, the years 1677 to 2262, stands as it always has, so that caches stay valid.
    """
    figures = (size, changed_ns)
    if all(-(2**63) <= figure < 2**63 for figure in figures):
        return struct.pack("<qq", *figures)
    return repr(figures).encode()


class DamagedError(Exception):
    """The cache was changed by somebody else while it was in use; opened again, it does without what was changed."""


class Store(Protocol):
    """Vectors by key, as `Embeddings` keeps them."""

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors."""

    def rows(self, keys: Keys) -> Rows:
        """Where the vectors of these keys are; -1 where a key is not stored."""

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors themselves."""


class Embeddings:
    """Vectors by key, kept as float16 in two files.

    `vectors` is written and synced before `keys`, and a row counts only once its key stands there: whenever the
    process or the power fails, each key that is found has its whole vector. A zero ends the keys. Each row ends with
    its checksum, of its key too: a vector that has changed since, or is another key's, is never given out. The files
    stay open: who deletes them takes nothing away from those that use them.
    """

    def __init__(self, directory: Path, dimension: int, read_only: bool = False) -> None:
        """Open the cache; a corrupt or foreign one is discarded with a warning.

        Args:
            directory: of its own; one writer at a time, and readers as many as there are.
            dimension: D, the length of a vector.
            read_only: nothing is written now, there must be a cache; it may be appended to later, where it can be.

        Raises:
            OSError: the directory cannot be written, or there is no cache that could be read.
        """
        self._dimension = dimension
        self._words = -(-dimension // 4)  # of 8 bytes, without the checksum; the last is filled up with zeros
        self._row_bytes = 8 * (self._words + 1)
        self._factors = 2 * np.random.default_rng(0).integers(2**63, size=self._words, dtype=np.uint64) + np.uint64(1)
        self._keys_path, self._vectors_path = directory / "keys", directory / "vectors"
        self._keys_fd = self._vectors_fd = -1
        self._is_keyed = True
        keys = self._open(read_only)
        if keys is None and read_only:
            raise FileNotFoundError(f"{directory} holds no embeddings.")
        if keys is None:
            directory.mkdir(parents=True, exist_ok=True)
            self._begin_anew()
            keys = self._open()
        if keys is None:
            raise OSError(f"{directory} was changed by somebody else.")
        self._count = len(keys)
        self._keys = keys  # by row; longer than `_count` once there were appends
        self._map: Words = np.zeros((0, self._words + 1), np.uint64)
        sound = self._sound()
        self._old_keys, self._old_rows = _sorted(keys[sound], sound)
        self._new_keys, self._new_rows = _sorted(keys[:0], sound[:0])

    def __len__(self) -> int:
        """How many vectors are stored."""
        return self._count

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors; they are found from now on, also after a crash.

        Args:
            keys: (B,) uint64, none of them 0; of a key that is stored already the newest vector counts.
            vectors: (B, D) float32; what float16 cannot hold is clipped.

        Raises:
            ValueError: the shapes do not fit, or a key is 0.
            OSError: the disk is full; nothing is stored.
        """
        if keys.ndim != 1 or vectors.shape != (len(keys), self._dimension) or not keys.all():
            raise ValueError(f"{keys.shape} keys with {vectors.shape} vectors of {self._dimension}, or a key is 0.")
        words = np.zeros((len(keys), self._words + 1), "<u8")
        words.view("<f2")[:, : self._dimension] = np.clip(np.nan_to_num(vectors), -LARGEST, LARGEST)
        words[:, -1] = self._sums(words, keys)
        self._grow(self._count + len(keys))
        _write(self._vectors_fd, self._count * self._row_bytes, words.tobytes())
        end = HEADER.size + 8 * self._count
        os.ftruncate(self._keys_fd, end)  # keys of an append that failed half way would get other vectors
        _write(self._keys_fd, end, keys.astype("<u8").tobytes())
        self._take(np.asarray(keys, np.uint64))

    def follow(self) -> int:
        """Take up what another process has appended since; returns how many vectors."""
        end = HEADER.size + 8 * self._count
        if os.fstat(self._keys_fd).st_size < end + 8:
            return 0
        keys = self._whole(os.pread(self._keys_fd, os.fstat(self._keys_fd).st_size - end, end))
        if (self._count + len(keys)) * self._row_bytes > os.fstat(self._vectors_fd).st_size:
            return 0  # on a network file system one file may be seen before the other
        self._take(keys)
        return len(keys)

    @property
    def is_in_place(self) -> bool:
        """Whether the cache is where it was opened; else somebody has deleted or replaced it."""
        try:
            return os.path.samestat(self._keys_path.stat(), os.fstat(self._keys_fd))
        except OSError:
            return False

    def sound(self) -> tuple[Keys, Rows]:
        """All keys with their rows (n,), in no order."""
        return np.concatenate([self._old_keys, self._new_keys]), np.concatenate([self._old_rows, self._new_rows])

    def _take(self, keys: Keys) -> None:
        """Count the rows that stand in the files behind those that are known."""
        rows = np.arange(self._count, self._count + len(keys))
        if self._count + len(keys) > len(self._keys):
            self._keys = np.concatenate([self._keys, np.zeros(max(len(keys), self._count), np.uint64)])
        self._keys[rows] = keys
        self._count += len(keys)
        self._index(keys, rows)

    def rows(self, keys: Keys) -> Rows:
        """Where the vectors of these keys are.

        Args:
            keys: (N,) uint64.

        Returns:
            (N,) int64, -1 where a key is not stored.
        """
        rows = _find(self._old_keys, self._old_rows, keys)
        if len(self._new_keys):
            newer = _find(self._new_keys, self._new_rows, keys)
            rows = np.where(newer >= 0, newer, rows)
        return rows

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors themselves.

        Args:
            rows: (n,) int64, as `rows` gave them, each at least 0.

        Returns:
            (n, D) float32.

        Raises:
            IndexError: there is no such row.
            DamagedError: one is not what was stored.
        """
        if len(rows) and (rows.min() < 0 or rows.max() >= self._count):
            raise IndexError(f"A row outside 0 to {self._count - 1}.")
        words = self._stored(rows)
        if (self._sums(words, self._keys[rows]) != words[:, -1]).any():
            raise DamagedError(f"{self._vectors_path} has changed.")
        found: Vectors = words.view("<f2")[:, : self._dimension].astype(np.float32)
        return found

    def _stored(self, rows: Rows) -> Words:
        """Whole rows (n, W + 1), of which the last word is the checksum."""
        if len(self._map) < self._count:
            stored = os.fstat(self._vectors_fd).st_size // self._row_bytes
            mapped = mmap.mmap(self._vectors_fd, stored * self._row_bytes, prot=mmap.PROT_READ)
            self._map = np.frombuffer(mapped, "<u8").reshape(stored, self._words + 1)
        words: Words = self._map[rows]
        if len(rows) > CHUNK_ROWS:  # read through once, and not soon again: it need not stay in our memory
            self._map = self._map[:0].copy()
        return words

    def _sums(self, words: Words, keys: Keys) -> Words:
        """Checksums (n,) of rows (n, W + 1): another bit in one of them is another sum, as all factors are odd."""
        sums: Words = np.einsum("nw,w->n", words[:, :-1], self._factors) + SUM_SEED
        return sums + keys * KEY_FACTOR if self._is_keyed else sums

    def _sound(self) -> Rows:
        """Rows that are as they were stored, all of which are read through once."""
        sound = np.zeros(self._count, bool)
        for start in range(0, self._count, CHUNK_ROWS):
            rows = np.arange(start, min(start + CHUNK_ROWS, self._count))
            words = self._stored(rows)
            sound[rows] = self._sums(words, self._keys[rows]) == words[:, -1]
        self._map = self._map[:0].copy()
        if not sound.all():
            log.warning("%s has %d damaged vectors; they are made anew", self._vectors_path, (~sound).sum())
        return np.flatnonzero(sound)

    def _index(self, keys: Keys, rows: Rows) -> None:
        """Two sorted tables, a large and a small one, so that an append does not sort a million keys again."""
        self._new_keys, self._new_rows = _sorted(
            np.concatenate([self._new_keys, keys]), np.concatenate([self._new_rows, rows])
        )
        if len(self._new_keys) > max(CHUNK_ROWS, len(self._old_keys) // 8):
            self._old_keys, self._old_rows = _sorted(
                np.concatenate([self._old_keys, self._new_keys]), np.concatenate([self._old_rows, self._new_rows])
            )
            self._new_keys, self._new_rows = self._new_keys[:0], self._new_rows[:0]

    def _grow(self, rows: int) -> None:
        """Make room in chunks, so that the map need not be made again for each append."""
        if rows * self._row_bytes > os.fstat(self._vectors_fd).st_size:
            os.ftruncate(self._vectors_fd, -(-rows // CHUNK_ROWS) * CHUNK_ROWS * self._row_bytes)

    def _open(self, read_only: bool = False) -> Keys | None:
        """Open both files; returns the keys as far as they count, None where the files are not ours."""
        paths = self._keys_path, self._vectors_path
        try:
            try:
                self._keys_fd, self._vectors_fd = (self._opened(path, os.O_RDWR) for path in paths)
            except OSError:
                if not read_only:
                    raise
                self._keys_fd, self._vectors_fd = (self._opened(path, os.O_RDONLY) for path in paths)
        except FileNotFoundError:
            return None
        data = os.pread(self._keys_fd, os.fstat(self._keys_fd).st_size, 0)
        magic, dimension = HEADER.unpack_from(data) if len(data) >= HEADER.size else (b"", 0)
        if magic not in {MAGIC, MAGIC_2} or dimension != self._dimension:
            log.warning("%s is not a cache of %d figures an image; it begins anew", self._keys_path, self._dimension)
            return None
        self._is_keyed = magic == MAGIC
        keys = self._whole(data[HEADER.size :])
        if len(keys) * self._row_bytes > os.fstat(self._vectors_fd).st_size:
            log.warning("%s has lost vectors; the cache begins anew", self._vectors_path)
            return None
        return keys

    def _opened(self, path: Path, flags: int) -> int:
        """A descriptor that is closed with this object."""
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    @staticmethod
    def _whole(data: bytes) -> Keys:
        """The keys before a torn one, and before the first zero."""
        keys = np.frombuffer(data, "<u8", len(data) // 8).astype(np.uint64)
        zeros = np.flatnonzero(keys == 0)
        return keys[: zeros[0]] if len(zeros) else keys

    def _begin_anew(self) -> None:
        """Put empty files in the place of others; nobody sees the keys without their header."""
        self._keys_path.unlink(missing_ok=True)
        self._vectors_path.unlink(missing_ok=True)
        self._vectors_path.touch()
        begun = self._keys_path.with_name("keys.new")
        begun.write_bytes(HEADER.pack(MAGIC, self._dimension))
        begun.replace(self._keys_path)


def _write(descriptor: int, offset: int, data: bytes) -> None:
    """Write at a place of the file, and return once the disk has it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
    os.fsync(descriptor)


def _sorted(keys: Keys, rows: Rows) -> tuple[Keys, Rows]:
    """Both by key, of equal keys the last one at the end."""
    by_key = np.argsort(keys, kind="stable")
    return keys[by_key], rows[by_key]


def _find(keys: Keys, rows: Rows, wanted: Keys) -> Rows:
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(keys, wanted, side="right") - 1  # -1, the last key, is never equal
    return np.where(keys[places] == wanted, rows[places], -1)
