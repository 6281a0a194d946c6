"""The cache of embeddings: append-only, memory-mapped files with one writer at a time; they may be deleted anytime."""

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
MAGIC_2 = b"IAembed2"  # Files of earlier versions, whose checksums do not depend on the key.
CHUNK_ROWS = 4096
SUM_SEED = np.uint64(0x1A)  # With it, the checksum of a row of zeros is not zero.
KEY_FACTOR = np.uint64(0x9E3779B97F4A7C15)
LARGEST = float(np.finfo(np.float16).max)


def key(datadir: Path, path: str) -> int | None:
    """The key of an image's embedding; it changes with the path, the size and the time of change of the file.

    Args:
        datadir: the image folder.
        path: of the image, relative to it; the file of a tile is its photo.

    Returns:
        64 bits, never 0; None if the file does not exist.
    """
    return next(keys(datadir, [path]))


def keys(datadir: Path, paths: Iterable[str]) -> Iterator[int | None]:
    """The keys of many images, see `key`; the file of consecutive tiles of one photo is looked at once."""
    for photo, group in itertools.groupby(paths, key=photo_of):
        try:
            status = os.stat(os.path.join(datadir, photo))  # noqa: PTH116, PTH118 - pathlib takes twice the time
        except (OSError, ValueError):
            yield from (None for _ in group)
            continue
        seen = _seen(status.st_size, status.st_mtime_ns)
        for path in group:
            digest = hashlib.blake2b(os.fsencode(path) + seen, digest_size=8).digest()
            yield int.from_bytes(digest, "little") or 1


def _seen(size: int, changed_ns: int) -> bytes:
    """Size and time of change of a file as bytes; a file system may hold any time.

    Figures that fit into 64 bits, such as the years 1677 to 2262, are packed as in earlier versions, so that their
    caches stay valid.
    """
    figures = (size, changed_ns)
    if all(-(2**63) <= figure < 2**63 for figure in figures):
        return struct.pack("<qq", *figures)
    return repr(figures).encode()


class DamagedError(Exception):
    """Another program has changed the cache while it was in use; opened again, the cache drops what was changed."""


class Store(Protocol):
    """Keeps vectors by key, see `Embeddings`."""

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors under their keys."""

    def rows(self, keys: Keys) -> Rows:
        """Where the vectors of these keys are; -1 where a key is not stored."""

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors themselves."""


class Embeddings:
    """Keeps vectors by key, as float16, in two files.

    The file `vectors` is written and synced before the file `keys`, and a row counts only once its key is written:
    whenever the process or the power fails, each key in the file has its whole vector. A zero ends the keys. Each row
    ends with a checksum over the vector and its key, so that a vector that has changed, or belongs to another key, is
    never returned. The files stay open, so that deleting them disturbs no process that uses them.
    """

    def __init__(self, directory: Path, dimension: int, read_only: bool = False) -> None:
        """Open the cache; a corrupt or foreign one is discarded with a warning.

        Args:
            directory: holds this cache alone; one process at a time may write, any number may read.
            dimension: D, the length of a vector.
            read_only: write nothing now and require a cache; appending later is possible if the files can be written.

        Raises:
            OSError: the directory cannot be written, or holds no cache that can be read.
        """
        self._dimension = dimension
        self._words = -(-dimension // 4)  # Words of 8 bytes without the checksum; zeros fill up the last one.
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
        self._keys = keys  # By row; after appends, it is longer than `_count`.
        self._map: Words = np.zeros((0, self._words + 1), np.uint64)
        sound = self._sound()
        self._old_keys, self._old_rows = _sorted(keys[sound], sound)
        self._new_keys, self._new_rows = _sorted(keys[:0], sound[:0])

    def __len__(self) -> int:
        """How many vectors are stored."""
        return self._count

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors; from now on they are found, even after a crash.

        Args:
            keys: (B,) uint64, none of them 0; if a key is stored already, its newest vector counts.
            vectors: (B, D) float32; values that float16 cannot hold are clipped.

        Raises:
            ValueError: the shapes do not fit, or a key is 0.
            OSError: the disk is full; nothing is stored.
        """
        if keys.ndim != 1 or vectors.shape != (len(keys), self._dimension) or not keys.all():
            raise ValueError(f"{keys.shape} keys with {vectors.shape} vectors of {self._dimension}, or a key is 0.")
        words = np.zeros((len(keys), self._words + 1), "<u8")
        words.view("<f2")[:, : self._dimension] = np.clip(np.nan_to_num(vectors), -LARGEST, LARGEST)
        words[:, -1] = self.checksums(words, keys)
        self._grow(self._count + len(keys))
        _write(self._vectors_fd, self._count * self._row_bytes, words.tobytes())
        end = HEADER.size + 8 * self._count
        os.ftruncate(self._keys_fd, end)  # otherwise keys of an append that failed half way would get these vectors
        _write(self._keys_fd, end, keys.astype("<u8").tobytes())
        self._take(np.asarray(keys, np.uint64))

    def follow(self) -> int:
        """Take up the vectors that another process has appended; returns how many."""
        end = HEADER.size + 8 * self._count
        if os.fstat(self._keys_fd).st_size < end + 8:
            return 0
        keys = self._whole(os.pread(self._keys_fd, os.fstat(self._keys_fd).st_size - end, end))
        if (self._count + len(keys)) * self._row_bytes > os.fstat(self._vectors_fd).st_size:
            return 0  # a network file system may show one file before the other
        self._take(keys)
        return len(keys)

    @property
    def is_in_place(self) -> bool:
        """Whether the files are still where they were opened; otherwise somebody has deleted or replaced them."""
        try:
            return os.path.samestat(self._keys_path.stat(), os.fstat(self._keys_fd))
        except OSError:
            return False

    def sound(self) -> tuple[Keys, Rows]:
        """All keys with their rows (n,), in any order."""
        return np.concatenate([self._old_keys, self._new_keys]), np.concatenate([self._old_rows, self._new_rows])

    def _take(self, keys: Keys) -> None:
        """Count the rows that follow the known ones in the files."""
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
            DamagedError: a vector is not the one that was stored.
        """
        if len(rows) and (rows.min() < 0 or rows.max() >= self._count):
            raise IndexError(f"A row outside 0 to {self._count - 1}.")
        words = self._stored(rows)
        if (self.checksums(words, self._keys[rows]) != words[:, -1]).any():
            raise DamagedError(f"{self._vectors_path} has changed.")
        found: Vectors = words.view("<f2")[:, : self._dimension].astype(np.float32)
        return found

    def _stored(self, rows: Rows) -> Words:
        """Whole rows (n, W + 1) with the checksum as their last word."""
        if len(self._map) < self._count:
            stored = os.fstat(self._vectors_fd).st_size // self._row_bytes
            mapped = mmap.mmap(self._vectors_fd, stored * self._row_bytes, prot=mmap.PROT_READ)
            self._map = np.frombuffer(mapped, "<u8").reshape(stored, self._words + 1)
        words: Words = self._map[rows]
        if len(rows) > CHUNK_ROWS:  # so many rows are read once and not soon again: they need not stay in memory
            self._map = self._map[:0].copy()
        return words

    def checksums(self, words: Words, keys: Keys) -> Words:
        """Checksums (n,) of rows (n, W + 1); as all factors are odd, one flipped bit changes the sum."""
        sums: Words = np.einsum("nw,w->n", words[:, :-1], self._factors) + SUM_SEED
        return sums + keys * KEY_FACTOR if self._is_keyed else sums

    def _sound(self) -> Rows:
        """Read all rows once; returns those that are as they were stored."""
        sound = np.zeros(self._count, bool)
        for start in range(0, self._count, CHUNK_ROWS):
            rows = np.arange(start, min(start + CHUNK_ROWS, self._count))
            words = self._stored(rows)
            sound[rows] = self.checksums(words, self._keys[rows]) == words[:, -1]
        self._map = self._map[:0].copy()
        if not sound.all():
            log.warning("%s has %d damaged vectors; they are made anew", self._vectors_path, (~sound).sum())
        return np.flatnonzero(sound)

    def _index(self, keys: Keys, rows: Rows) -> None:
        """Add keys to the small one of two sorted tables, so that an append does not sort a million keys again."""
        self._new_keys, self._new_rows = _sorted(
            np.concatenate([self._new_keys, keys]), np.concatenate([self._new_rows, rows])
        )
        if len(self._new_keys) > max(CHUNK_ROWS, len(self._old_keys) // 8):
            self._old_keys, self._old_rows = _sorted(
                np.concatenate([self._old_keys, self._new_keys]), np.concatenate([self._old_rows, self._new_rows])
            )
            self._new_keys, self._new_rows = self._new_keys[:0], self._new_rows[:0]

    def _grow(self, rows: int) -> None:
        """Make room in chunks, so that not every append needs a new memory map."""
        if rows * self._row_bytes > os.fstat(self._vectors_fd).st_size:
            os.ftruncate(self._vectors_fd, -(-rows // CHUNK_ROWS) * CHUNK_ROWS * self._row_bytes)

    def _open(self, read_only: bool = False) -> Keys | None:
        """Open both files; returns the keys that count, None if the files are missing or foreign."""
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
        """Open a file until this object is deleted; returns its descriptor."""
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        weakref.finalize(self, os.close, descriptor)
        return descriptor

    @staticmethod
    def _whole(data: bytes) -> Keys:
        """The whole keys before the first zero; a torn key at the end is left out."""
        keys = np.frombuffer(data, "<u8", len(data) // 8).astype(np.uint64)
        zeros = np.flatnonzero(keys == 0)
        return keys[: zeros[0]] if len(zeros) else keys

    def _begin_anew(self) -> None:
        """Replace the files by empty ones; no process ever sees the keys without their header."""
        self._keys_path.unlink(missing_ok=True)
        self._vectors_path.unlink(missing_ok=True)
        self._vectors_path.touch()
        begun = self._keys_path.with_name("keys.new")
        begun.write_bytes(HEADER.pack(MAGIC, self._dimension))
        begun.replace(self._keys_path)


def _write(descriptor: int, offset: int, data: bytes) -> None:
    """Write at an offset of the file, and return once the data is on the disk."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
    os.fsync(descriptor)


def _sorted(keys: Keys, rows: Rows) -> tuple[Keys, Rows]:
    """Sort both by key; equal keys keep their order."""
    by_key = np.argsort(keys, kind="stable")
    return keys[by_key], rows[by_key]


def _find(keys: Keys, rows: Rows, wanted: Keys) -> Rows:
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(keys, wanted, side="right") - 1  # -1 means the last key, which is never equal
    return np.where(keys[places] == wanted, rows[places], -1)
