"""Embeddings that all runs over one folder share: what one of them has embedded, the others only read.

They stand beside the runs, in `.embeddings/<folder>/<network>`, and may be deleted at any time. One process at a time
writes, held to it by a lock that ends with it. What a process makes that cannot write there (another one does, the
place is read-only, the file system knows no locks) goes into its run's own cache, and over to the others when a later
start can write.
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
OWN = np.int64(1 << 48)  # rows from here on are those of the run's own cache
WRITER = "writer"  # the lock
LOCK_WAIT_S = 2.0  # at the start, for another process that only takes over what there is
PATIENCE_S = 5.0  # so long another process may take for the next image that is wanted here
LAST = "shared"  # beside the own cache: which shared one it came with, for a folder or a run that was moved since
NAME_LENGTH = 40


def folder_cache(run: Path, datadir: Path) -> Path | None:
    """Where the runs beside this one keep what they have embedded of a folder; as closed to others as the run.

    Args:
        run: absolute path of the run directory.
        datadir: the folder of images.

    Returns:
        The place, whether or not anything can be kept there; None where it would lie among the images themselves.
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
    """Vectors by key, from a cache that is shared and one of the run's own.

    To write, a process leads: `lead` before it embeds, `rest` when nothing is left to embed. An append without that
    leads for the moment.
    """

    def __init__(self, shared: Path | None, own: Path, dimension: int) -> None:
        """Open both, as far as they are there, and hand over what the run's own cache has.

        Args:
            shared: the directory that others use too; None: there is none.
            own: the directory that only this process uses.
            dimension: D, the length of a vector.
        """
        self._directory = shared
        self._writes = shared is not None  # until it turns out that it cannot
        self._own_directory = own
        self._dimension = dimension
        self._lock: contextlib.ExitStack | None = None  # while this process leads
        self._served_s = time.monotonic()  # when another process last appended something that was wanted here
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
        """Be the one that embeds; returns False where another process is, and this one is to wait for what it adds."""
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
        """Let another process be the one that embeds."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def follow(self) -> bool:
        """Take up what another process has appended since; whether that was anything."""
        if self._lock is not None:
            return False
        if self._shared is None:
            self._open(writable=False)
            return self._shared is not None
        return self._shared.follow() > 0

    def served(self) -> None:
        """Note that another process has just appended what was wanted here: it is worth waiting for more."""
        self._served_s = time.monotonic()

    def append(self, keys: Keys, vectors: Vectors) -> None:
        """Store vectors, as of `Embeddings.append`: for all, or else for this run.

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
        """Where the vectors of these keys are, (N,) int64; -1 where a key is not stored."""
        rows = np.full(len(keys), -1, np.int64) if self._shared is None else self._shared.rows(keys)
        if self._own is not None and (rows < 0).any():
            own = self._own.rows(keys)
            rows = np.where((rows < 0) & (own >= 0), own + OWN, rows)
        return rows

    def vectors(self, rows: Rows) -> Vectors:
        """The vectors (n, D) of these rows, as of `Embeddings.vectors`."""
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
        """Be the writer for the block; yields whether that is so."""
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
        """Open the shared cache, if it is not open yet and there is one, or one can be made."""
        if self._shared is not None or self._directory is None:
            return
        if not writable and not (self._directory / "keys").exists():
            return
        try:
            self._shared = Embeddings(self._directory, self._dimension, read_only=not writable)
        except OSError as error:
            log.info("%s is not shared (%s)", self._directory, error)

    def _share(self, keys: Keys, vectors: Vectors) -> None:
        """Append for all. Raises OSError where nothing was stored."""
        self._open(writable=True)
        cache = self._shared
        if cache is None or not cache.is_in_place:
            raise OSError(f"{self._directory} was deleted while it was in use")
        if cache.follow() and self._lock is not None:
            raise OSError(f"somebody else writes to {self._directory}: it is on a file system without locks")
        fresh = cache.rows(keys) < 0
        cache.append(keys[fresh], vectors[fresh])

    def _give_up(self, error: OSError) -> None:
        """Write to the run's own cache from now on; what is shared is still read."""
        log.info("%s; what is embedded from now on is kept in %s", error, self._own_directory)
        self.rest()
        self._writes = False

    # --- other caches -------------------------------------------------------------------------------------------------

    def _last(self, shared: Path) -> list[Path]:
        """The shared cache that this run used before its folder, or it itself, was moved; notes the one of now."""
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
        """Copy what other caches have and the shared one lacks; the run's own is not needed afterwards."""
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
    """What earlier versions have kept for the same network in the runs over the same folder that stand beside."""
    place = shared.parent
    for run in sorted(place.parents[1].glob("*")):
        kept = run / "cache" / "inference" / shared.name
        with contextlib.suppress(OSError, ValueError):
            if (kept / "keys").exists() and _place(run, Path(read(run, SETTINGS).content.datadir)) == place:
                yield kept


def _copy(source: Embeddings, target: Embeddings) -> None:
    """Copy what the target lacks. Raises OSError where it is full."""
    keys, rows = source.sound()
    missing = np.flatnonzero(target.rows(keys) < 0)
    for start in range(0, len(missing), CHUNK_ROWS):
        some = missing[start : start + CHUNK_ROWS]
        target.append(keys[some], source.vectors(rows[some]))
