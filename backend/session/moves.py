"""Carries answers over to images that were moved or renamed below DATADIR, by their content.

A thread reads each photo once it is shown or answered, and little by little those answered in earlier sessions. If an
answered photo is gone and one without an answer has the same content, it has been moved. If the answered photo is still
there, the other one is a copy, and is asked. If several photos have the same content, the one of the same name is
taken, or else the first by name: they show the same.
"""

import contextlib
import logging
import sqlite3
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterable
from pathlib import PurePosixPath

from backend.images.images import Images
from backend.store import contents
from backend.store.contents import Content, content_of
from backend.store.database import NotDurableError
from backend.store.labels import Labels
from IA.images.tiles import photo_of
from IA.text.words import counted

log = logging.getLogger(__name__)

AT_ONCE = 64  # photos that are read before their contents are stored
REST = 3  # After reading a photo of an earlier session for t seconds, leave the disk to others for REST * t.
AGAIN_S = 1.0
CARRIED_AT_ONCE = 250  # photos in a transaction; it takes some 50 ms, in which no answer is acknowledged
NAMED = 3  # moved photos that the log names


class Moves:
    """The thread that reads photos and finds moved ones; `shown`, `answered` and `changed` return at once."""

    def __init__(self, images: Images, labels: Labels) -> None:
        self._images = images
        self._labels = labels
        self._tiles = len(images.grid) if images.grid else 1
        self._shown: deque[int] = deque()  # to be read: they were shown or answered in this session
        self._earlier: deque[int] = deque()  # to be read: they were answered in an earlier session
        self._gone: deque[int] = deque()
        self._came: deque[int] = deque()
        self._lost: dict[str, Content] = {}  # photos that are gone and have an answer
        self._read: dict[str, Content] = {}  # contents that are not stored yet
        self._stored_s = 0.0
        self._sizes = array("q")  # by photo, in bytes; -1: not known
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="moves", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Store what was read, and end the thread."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def shown(self, number: int) -> None:
        """Read an image that is shown: by the time it is answered it may have been moved."""
        self._shown.append(number)
        self._wake.set()

    def answered(self, number: int) -> None:
        """Read an image that was answered, or look for it where it has gone to."""
        (self._gone if self._images.is_gone(number) else self._shown).append(number)
        self._wake.set()

    def changed(self, number: int) -> None:
        """Read or look for an image that came, went, came back or was written anew."""
        if self._images.is_gone(number):
            self._gone.append(number)
        elif self._labels.label(self._images.path(number)) is not None:
            self._earlier.append(number)
        elif self._images.listing:  # Once the folder is listed all of them are looked at.
            return
        else:
            self._came.append(number)
        self._wake.set()

    def knows(self, photo: str) -> bool:
        """Whether the content of a photo has been read, so that it is found when it moves."""
        return photo in self._read or photo in self._labels.stored.contents([photo])

    @property
    def missing(self) -> int:
        """How many photos are gone, have an answer, and have not been found elsewhere."""
        return len(self._lost)

    @property
    def unmatched(self) -> int:
        """How many images came that have not been compared with the missing ones."""
        return len(self._came)

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(AGAIN_S if self._gone or self._came or self._read else None)
            self._wake.clear()
            try:
                self._step()
            except (NotDurableError, sqlite3.Error, OSError) as error:
                log.info("what answered images hold could not be stored (%s); trying again", error)
                self._stop.wait(AGAIN_S)
                self._wake.set()
        with contextlib.suppress(NotDurableError, sqlite3.Error):
            self._store()

    def _step(self) -> None:
        while not self._stop.is_set():
            if not self._images.listing and (self._gone or self._came):
                self._match()
            elif self._shown:
                self._read_some(self._shown, 1)
            elif self._earlier:
                self._read_some(self._earlier, REST)
            else:
                break
        if time.monotonic() - self._stored_s > AGAIN_S:
            self._store()

    def _photo(self, number: int) -> str:
        return photo_of(self._images.path(number))

    def _first(self, number: int) -> int:
        return number - number % self._tiles

    def _is_answered(self, first: int) -> bool:
        numbers = range(first, first + self._tiles)
        return any(self._labels.label(self._images.path(number)) is not None for number in numbers)

    def _read_some(self, numbers: deque[int], rest: float) -> None:
        """Read the next few of these images whose content is not known."""
        some = {self._photo(number): number for number in _taken(numbers, AT_ONCE)}
        known = self._labels.stored.contents(list(some)) | self._read
        for photo, number in some.items():
            if self._stop.is_set():
                return
            content = known.get(photo)
            if content is not None and content.version == contents.version_of(self._images.datadir / photo):
                continue
            began_s = time.monotonic()
            with contextlib.suppress(OSError):  # It went in the meantime, or cannot be read.
                read = content_of(self._images.file(number, whole=True))
                if read is not None:
                    self._read[photo] = read
            self._stop.wait(rest * (time.monotonic() - began_s))
        if len(self._read) >= AT_ONCE:
            self._store()

    def _store(self) -> None:
        if self._read:
            contents.keep_in(self._labels.database, self._read)
            self._read = {}
        self._stored_s = time.monotonic()

    def _match(self) -> None:
        """Find the photos that are gone among the photos without an answer."""
        gone = {self._photo(number) for number in _taken(self._gone) if self._images.is_gone(number)}
        came = {self._first(number) for number in _taken(self._came)}
        for first in came:
            self._forget_size(first)
        known = self._labels.stored.contents(sorted(gone)) | {p: c for p, c in self._read.items() if p in gone}
        self._lost |= known
        self._lost = {photo: content for photo, content in self._lost.items() if self._is_lost(photo)}
        if not self._lost:
            return
        among = range(0, self._images.published, self._tiles) if known else sorted(came)
        pairs = self._pairs(among)
        moved: list[tuple[str, str]] = []
        for start in range(0, len(pairs), CARRIED_AT_ONCE):
            moved += self._labels.carry(pairs[start : start + CARRIED_AT_ONCE], self._images.grid)
        for old, _ in pairs:
            del self._lost[old]
        if moved:
            named = ", ".join(f"{old!r} is {new!r} now" for old, new in moved[:NAMED])
            more = ", and so on" if len(moved) > NAMED else ""
            what = counted(len(moved), "image was moved or renamed: its", "images were moved or renamed: their")
            log.warning("%s answers were carried over (%s%s)", what, named, more)

    def _is_lost(self, photo: str) -> bool:
        """Whether a photo is gone and has an answer."""
        grid = self._images.grid
        number = self._images.number(photo if grid is None else next(grid.paths(photo)))
        return number is not None and self._images.is_gone(number) and self._is_answered(number)

    def _pairs(self, among: Iterable[int]) -> list[tuple[str, str]]:
        """The old and the new path of each photo that is gone and was found among these images."""
        by_size: dict[int, list[Content]] = {}
        for content in self._lost.values():
            by_size.setdefault(content.size, []).append(content)
        found: dict[bytes, list[str]] = {}
        for first in among:
            if self._stop.is_set():
                return []
            like = by_size.get(self._size(first))
            if like and not self._images.is_gone(first) and not self._is_answered(first):
                with contextlib.suppress(OSError):
                    now = content_of(self._images.file(first, whole=True), like)
                    if now is not None:
                        found.setdefault(now.digest, []).append(self._photo(first))
        lost: dict[bytes, list[str]] = {}
        for photo, content in self._lost.items():
            lost.setdefault(content.digest, []).append(photo)
        return [pair for digest, photos in lost.items() for pair in paired(photos, found.get(digest, []))]

    def _size(self, first: int) -> int:
        place = first // self._tiles
        self._sizes.extend([-1] * (place + 1 - len(self._sizes)))
        if self._sizes[place] < 0 and not self._images.is_gone(first):
            version = contents.version_of(self._images.datadir / self._photo(first))
            self._sizes[place] = -1 if version is None else version[0]
        return self._sizes[place]

    def _forget_size(self, first: int) -> None:
        place = first // self._tiles
        if place < len(self._sizes):
            self._sizes[place] = -1


def paired(gone: Iterable[str], found: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of old and new paths of photos with the same content: those of the same name first, then in order."""
    left, new = sorted(gone), sorted(found)
    pairs: list[tuple[str, str]] = []
    for path in list(new):
        old = next((old for old in left if _name(old) == _name(path)), None)
        if old is not None:
            pairs.append((old, path))
            left.remove(old)
            new.remove(path)
    return pairs + list(zip(left, new, strict=False))


def _name(path: str) -> str:
    return PurePosixPath(path).name


def _taken(numbers: deque[int], at_most: int | None = None) -> list[int]:
    """Take these from the left."""
    return [numbers.popleft() for _ in range(len(numbers) if at_most is None else min(at_most, len(numbers)))]
