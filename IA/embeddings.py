"""The cache of embeddings: append-only files, memory-mapped; private to the inference loop and free to be deleted."""

import hashlib
import itertools
import logging
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.tiles import photo_of

log = logging.getLogger(__name__)

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Words = NDArray[np.uint64]

HEADER = struct.Struct("<8sQ")  # magic, dimension
MAGIC = b"IAembed2"
CHUNK_ROWS = 4096
SUM_SEED = np.uint64(0x1A)  # a row of zeros is none of ours
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


class Embeddings:
    """Vectors by key, kept as float16 in two files.

    `vectors` is written and synced before `keys`, and a row counts only once its key stands there: whenever the
    process or the power fails, each key that is found has its whole vector. A zero ends the keys. Each row ends with
    its checksum: a vector that has changed since is never given out.
    """

    def __init__(self, directory: Path, dimension: int) -> None:
        """Open the cache; a corrupt or foreign one is discarded with a warning.

        Args:
            directory: of its own; one writer at a time.
            dimension: D, the length of a vector.

        Raises:
            OSError: the directory cannot be written.
        """
        self._dimension = dimension
        self._words = -(-dimension // 4)  # of 8 bytes, without the checksum; the last is filled up with zeros
        self._row_bytes = 8 * (self._words + 1)
        self._factors = 2 * np.random.default_rng(0).integers(2**63, size=self._words, dtype=np.uint64) + np.uint64(1)
        directory.mkdir(parents=True, exist_ok=True)
        self._keys_path, self._vectors_path = directory / "keys", directory / "vectors"
        keys = self._stored_keys()
        if keys is None:
            self._begin_anew()
            keys = np.zeros(0, np.uint64)
        self._count = len(keys)
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
        words[:, -1] = self._sums(words)
        self._grow(self._count + len(keys))
        _write(self._vectors_path, self._count * self._row_bytes, words.tobytes())
        end = HEADER.size + 8 * self._count
        os.truncate(self._keys_path, end)  # keys of an append that failed half way would get other vectors
        _write(self._keys_path, end, keys.astype("<u8").tobytes())
        rows = np.arange(self._count, self._count + len(keys))
        self._count += len(keys)
        self._index(np.asarray(keys, np.uint64), rows)

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
        if (self._sums(words) != words[:, -1]).any():
            raise DamagedError(f"{self._vectors_path} has changed.")
        found: Vectors = words.view("<f2")[:, : self._dimension].astype(np.float32)
        return found

    def _stored(self, rows: Rows) -> Words:
        """Whole rows (n, W + 1), of which the last word is the checksum."""
        if len(self._map) < self._count:
            stored = self._vectors_path.stat().st_size // self._row_bytes
            self._map = np.memmap(self._vectors_path, "<u8", "r", shape=(stored, self._words + 1))
        words: Words = self._map[rows]
        if len(rows) > CHUNK_ROWS:  # read through once, and not soon again: it need not stay in our memory
            self._map = self._map[:0].copy()
        return words

    def _sums(self, words: Words) -> Words:
        """Checksums (n,) of rows (n, W + 1): another bit in one of them is another sum, as all factors are odd."""
        sums: Words = np.einsum("nw,w->n", words[:, :-1], self._factors) + SUM_SEED
        return sums

    def _sound(self) -> Rows:
        """Rows that are as they were stored, all of which are read through once."""
        sound = np.zeros(self._count, bool)
        for start in range(0, self._count, CHUNK_ROWS):
            words = self._stored(np.arange(start, min(start + CHUNK_ROWS, self._count)))
            sound[start : start + len(words)] = self._sums(words) == words[:, -1]
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
        if rows * self._row_bytes > self._vectors_path.stat().st_size:
            os.truncate(self._vectors_path, -(-rows // CHUNK_ROWS) * CHUNK_ROWS * self._row_bytes)

    def _stored_keys(self) -> Keys | None:
        """The keys in the file, as far as they count; None where the files are not ours."""
        try:
            data = self._keys_path.read_bytes()
            vectors_bytes = self._vectors_path.stat().st_size
        except FileNotFoundError:
            return None
        if len(data) < HEADER.size or HEADER.unpack_from(data) != (MAGIC, self._dimension):
            log.warning("%s is not a cache of %d figures an image; it begins anew", self._keys_path, self._dimension)
            return None
        whole = (len(data) - HEADER.size) // 8
        keys = np.frombuffer(data, "<u8", whole, HEADER.size).astype(np.uint64)
        zeros = np.flatnonzero(keys == 0)
        keys = keys[: zeros[0]] if len(zeros) else keys
        if len(keys) * self._row_bytes > vectors_bytes:
            log.warning("%s has lost vectors; the cache begins anew", self._vectors_path)
            return None
        return keys

    def _begin_anew(self) -> None:
        self._keys_path.unlink(missing_ok=True)
        self._vectors_path.unlink(missing_ok=True)
        self._vectors_path.touch()
        self._keys_path.write_bytes(HEADER.pack(MAGIC, self._dimension))


def _write(path: Path, offset: int, data: bytes) -> None:
    """Write at a place of the file, and return once the disk has it."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sorted(keys: Keys, rows: Rows) -> tuple[Keys, Rows]:
    """Both by key, of equal keys the last one at the end."""
    by_key = np.argsort(keys, kind="stable")
    return keys[by_key], rows[by_key]


def _find(keys: Keys, rows: Rows, wanted: Keys) -> Rows:
    if not len(keys):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(keys, wanted, side="right") - 1  # -1, the last key, is never equal
    return np.where(keys[places] == wanted, rows[places], -1)
