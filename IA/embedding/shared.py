"""Embeddings that all runs over one folder share: one run embeds an image, the others read its embedding.

The shared cache lies beside the runs, in `.embeddings/<folder>/<network>`, and may be deleted at any time. One process
at a time writes; it holds a lock that ends with the process. A process that cannot write there (because another one
does, the place is read-only, or the file system has no locks) writes to its run's own cache. A later start that can
write copies these embeddings into the shared cache.
"""

import contextlib
import hashlib
import logging
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from IA.embedding.cache import CHUNK_ROWS, Embeddings, Keys, Rows, Vectors
from IA.protocol.files import SETTINGS
from IA.protocol.locks import hold
from IA.protocol.pickle_file import read

log = logging.getLogger(__name__)

PLACE = ".embeddings"
OWN = np.int64(1 << 48)  # Rows from this number on are in the run's own cache.
WRITER = "writer"  # The name of the lock.
LOCK_WAIT_S = 2.0  # At the start, a process waits this long for another one that only copies caches.
PATIENCE_S = 5.0  # A process waits this long for the next image that another process embeds for it.
LAST = "shared"  # The file beside the own cache that names the shared one, in case the folder or the run is moved.
NAME_LENGTH = 40


def folder_cache(run: Path, datadir: Path) -> Path | None:
    """Make the folder in which this run and those beside it share caches of an image folder.

    Its permissions are those of the run.

    Args:
        run: absolute path of the run directory.
        datadir: the folder of images.

    Returns:
        The folder, even if it could not be made; None if it would lie among the images themselves.
    """
    place = _place(run, datadir)
    if place is not None:
        with contextlib.suppress(OSError):
            place.mkdir(mode=stat.S_IMODE(run.stat().st_mode), parents=True, exist_ok=True)
    return place


def _place(run: Path, datadir: Path) -> Path | None:
    datadir = datadir.resolve()
    if run.parent.resolve() == datadir:
        return None
    digest = hashlib.blake2b(os.fsencode(datadir), digest_size=6).hexdigest()
    name = "".join(letter if letter.isalnum() else "-" for letter in datadir.name)[:NAME_LENGTH]
    return run.parent / PLACE / f"{name}-{digest}"


class SharedEmbeddings:
    """Keeps vectors by key, in a shared cache and one of the run's own.

    A process calls `lead` before it embeds and `rest` when nothing is left to embed; in between it is the one that
    writes to the shared cache. An `append` without `lead` writes if no other process does.
    """

    def __init__(self, shared: Path | None, own: Path, dimension: int) -> None:
        """Open the caches that exist, and copy the run's own one into the shared one.

        Args:
            shared: the directory that other runs use too; None: there is none.
            own: the directory that only this process uses.
            dimension: D, the length of a vector.
        """
        self._directory = shared
        self._writes = shared is not None  # False once writing to the shared cache has failed.
        self._own_directory = own
        self._dimension = dimension
        self._lock: contextlib.ExitStack | None = None  # Held while this process leads.
        self._served_s = time.monotonic()  # When another process last embedded an image that this one needed.
        self._shared: Embeddings | None = None
        is_new = shared is not None and not (shared / "keys").exists()
        with self._leading(wait_s=LOCK_WAIT_S if is_new or own.exists() else 0.0) as leads:
            self._open(leads)
            if leads and self._shared is not None and shared is not None:
                beside = list(_run_caches(shared)) if is_new else []
                self._take_over(self._shared, [own, *self._last(shared), *beside])
        self._own = Embeddings(own, dimension) if (own / "keys").exists() else None

    def __len__(self) -> int:
        """How many vectors are stored."""
        return sum(len(cache) for cache in (self._shared, self._own) if cache is not None)

    @property
    def directory(self) -> Path:
        """The run's own cache."""
        return self._own_directory

    def lead(self) -> bool:
        """Become the process that embeds; returns False if another one does, whose embeddings this one waits for."""
        if self._directory is None or not self._writes or self._lock is not None:
            return True
        stack = contextlib.ExitStack()
        try:
            if stack.enter_context(hold(self._directory, WRITER)):
                self._lock = stack
        except OSError as error:
            self._give_up(error)
            return True
        if self._lock is None:
            stack.close()
            return time.monotonic() - self._served_s > PATIENCE_S
        self._open(writable=True)
        if self._shared is not None:
            self._shared.follow()
        return True

    def rest(self) -> None:
        """Let another process embed."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def follow(self) -> bool:
        """Take up the vectors that another process has appended; returns whether there are any."""
        if self._lock is not None:
            return False
        if self._shared is None:
            self._open(writable=False)
            return self._shared is not None
        return self._shared.follow() > 0

    def served(self) -> None:
        """Note that another process has just embedded an image that this one needed: it pays to wait for more."""
        self._served_s = time.monotonic()

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors, see `Embeddings.append`, in the shared cache if possible, otherwise in the run's own.

        Raises:
            OSError: the disk is full; nothing is stored.
        """
        with self._leading() as leads:
            if leads:
                try:
                    self._share(keys, vectors)
                    return
                except OSError as error:
                    self._give_up(error)
        if self._own is None:
            self._own = Embeddings(self._own_directory, self._dimension)
        self._own.append(keys, vectors)

    def rows(self, keys: Keys) -> Rows:
        """The rows of these keys, (N,) int64; -1 where a key is not stored."""
        rows = np.full(len(keys), -1, np.int64) if self._shared is None else self._shared.rows(keys)
        if self._own is not None and (rows < 0).any():
            own = self._own.rows(keys)
            rows = np.where((rows < 0) & (own >= 0), own + OWN, rows)
        return rows

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors (n, D) of these rows, see `Embeddings.vectors`."""
        found = np.empty((len(rows), self._dimension), np.float32)
        is_own = rows >= OWN
        for cache, some, first in ((self._shared, ~is_own, 0), (self._own, is_own, OWN)):
            if some.any():
                if cache is None:
                    raise IndexError("A row of a cache that is not there.")
                found[some] = cache.vectors(rows[some] - first)
        return found

    # --- the shared one -----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _leading(self, wait_s: float = 0.0) -> Iterator[bool]:
        """Hold the lock of the shared cache in the block, if possible; yields whether this process holds it."""
        if self._directory is None or not self._writes or self._lock is not None:
            yield self._lock is not None
            return
        ends_s = time.monotonic() + wait_s
        with contextlib.ExitStack() as stack:
            try:
                while not (leads := stack.enter_context(hold(self._directory, WRITER))):
                    stack.close()
                    if time.monotonic() >= ends_s:
                        break
                    time.sleep(0.05)
            except OSError as error:
                leads = False
                self._give_up(error)
            yield leads

    def _open(self, writable: bool) -> None:
        """Open the shared cache if it is not open and exists; if `writable`, make it otherwise."""
        if self._shared is not None or self._directory is None:
            return
        if not writable and not (self._directory / "keys").exists():
            return
        try:
            self._shared = Embeddings(self._directory, self._dimension, read_only=not writable)
        except OSError as error:
            log.info("%s is not shared (%s)", self._directory, error)

    def _share(self, keys: Keys, vectors: Vectors) -> None:
        """Append to the shared cache. Raises OSError if nothing was stored."""
        self._open(writable=True)
        cache = self._shared
        if cache is None or not cache.is_in_place:
            raise OSError(f"{self._directory} was deleted while it was in use")
        if cache.follow() and self._lock is not None:
            raise OSError(f"somebody else writes to {self._directory}: it is on a file system without locks")
        fresh = cache.rows(keys) < 0
        cache.append(keys[fresh], vectors[fresh])

    def _give_up(self, error: OSError) -> None:
        """Write to the run's own cache from now on; the shared one is still read."""
        log.info("%s; what is embedded from now on is kept in %s", error, self._own_directory)
        self.rest()
        self._writes = False

    # --- other caches -------------------------------------------------------------------------------------------------

    def _last(self, shared: Path) -> list[Path]:
        """The shared cache that this run used before it or its folder was moved, if any; notes the present one."""
        note, now = self._own_directory.parent / LAST, os.fsencode(shared.parent)
        try:
            before = note.read_bytes()
        except OSError:
            before = b""
        if before == now:
            return []
        with contextlib.suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_bytes(now)
        return [Path(os.fsdecode(before)) / shared.name] if before else []

    def _take_over(self, shared: Embeddings, others: Iterable[Path]) -> None:
        """Copy what the shared cache lacks from other caches, and delete the run's own one."""
        for directory in others:
            try:
                _copy(Embeddings(directory, self._dimension, read_only=True), shared)
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("%s; %s stays as it is", error, directory)
                return
            if directory == self._own_directory:
                shutil.rmtree(directory, ignore_errors=True)


def _run_caches(shared: Path) -> Iterator[Path]:
    """The caches that earlier versions kept in the runs beside this one, for the same network and image folder."""
    place = shared.parent
    for run in sorted(place.parents[1].glob("*")):
        kept = run / "cache" / "inference" / shared.name
        with contextlib.suppress(OSError, ValueError):
            if (kept / "keys").exists() and _place(run, Path(read(run, SETTINGS).content.datadir)) == place:
                yield kept


def _copy(source: Embeddings, target: Embeddings) -> None:
    """Copy the vectors that the target lacks. Raises OSError if the disk is full."""
    keys, rows = source.sound()
    missing = np.flatnonzero(target.rows(keys) < 0)
    for start in range(0, len(missing), CHUNK_ROWS):
        some = missing[start : start + CHUNK_ROWS]
        target.append(keys[some], source.vectors(rows[some]))
