"""Stores uploaded images in DATADIR/uploads, never over another file, never the same content twice."""

import hashlib
import itertools
import logging
import os
import re
import shutil
import threading
import unicodedata
import uuid
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from IA.text.image_files import IMAGE_SUFFIXES, NO_PHOTOS

log = logging.getLogger(__name__)

FOLDER = "uploads"
PART = ".part"
MOST_BYTES = 2 * 2**30  # A zip may have so many bytes.
MOST_IMAGE_BYTES = 500 * 2**20
MOST_FILES = 100_000  # A zip may hold so many files.
MOST_UNPACKED = 8 * 2**30
MOST_RATIO = 200  # A zip hardly makes images smaller; it makes a file of zeros a thousand times smaller.
LEFT_FREE = 2**30  # Uploads leave so many bytes of the disk free.
CHUNK_BYTES = 2**20
NAME_BYTES = 200
NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"*:<>?|\\]')
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class UploadError(Exception):
    """An upload was refused; the message says why, in one sentence."""


@dataclass
class Uploaded:
    """What became of an upload.

    Attributes:
        added: paths of the new images, relative to DATADIR.
        duplicates: names of files that were not stored, each with the image that has the same content.
        refused: names of files that were not stored, each with the reason.
        unreadable: names of files that were stored although they cannot be shown, each with the reason.
    """

    added: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


class Uploads:
    """Takes images into a folder; every method may be called from any thread."""

    def __init__(
        self,
        datadir: Path,
        listed: Callable[[], Iterator[Path]],
        damage_of: Callable[[Path], str | None] = lambda path: None,
    ) -> None:
        """Read nothing yet.

        Args:
            datadir: the folder of images.
            listed: returns the files of all known images.
            damage_of: returns why a file cannot be shown; None: it can be shown.
        """
        self._datadir = datadir
        self._folder = datadir / FOLDER
        self._listed = listed
        self._damage_of = damage_of
        self._lock = threading.Lock()
        self._by_size: defaultdict[int, set[Path]] | None = None  # all images; None: not listed yet
        self._hashes: dict[Path, tuple[int, int, str]] = {}

    def sweep(self) -> None:
        """Remove the unfinished files of interrupted uploads."""
        for part in self._folder.glob(f".*{PART}"):
            part.unlink(missing_ok=True)

    def begin(self) -> Path:
        """A new file to write an upload to.

        Raises:
            UploadError: the disk is almost full.
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(exist_ok=True)
        if shutil.disk_usage(self._folder).free < LEFT_FREE:
            raise UploadError(f"Less than {LEFT_FREE >> 30} GiB of the disk is free; nothing more is taken.")
        part = self._folder / f".{uuid.uuid4()}{PART}"
        part.touch(exist_ok=False)
        return part

    def finish(self, part: Path, name: str) -> Uploaded:
        """Store an image, or the images of a zip, from a file that holds the upload. The file is gone afterwards.

        Args:
            part: the file, from `begin`.
            name: the name on the person's machine; folders in it are kept.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        outcome = Uploaded()
        try:
            if name.lower().endswith(".zip"):
                self._unpack(part, name, outcome)
            else:
                self._take(part, name, outcome)
        except UploadError as error:
            outcome.refused[name] = str(error)
        finally:
            part.unlink(missing_ok=True)
        return outcome

    # --- one image ----------------------------------------------------------------------------------------------------

    def _take(self, part: Path, name: str, outcome: Uploaded) -> None:
        place = place_of(name)
        size = part.stat().st_size
        if size == 0:
            raise UploadError("It is empty.")
        if size > MOST_IMAGE_BYTES:
            raise UploadError(f"It is larger than {MOST_IMAGE_BYTES >> 20} MiB.")
        digest = _digest(part)
        with self._lock:
            twin = self._twin(size, digest)
            if twin is not None:
                outcome.duplicates[name] = twin.relative_to(self._datadir).as_posix()
                return
            target = self._put(part, place)
            self._known()[size].add(target)
            self._hashes[target] = (*_signature(target), digest)
        outcome.added.append(target.relative_to(self._datadir).as_posix())
        damage = self._damage_of(target)
        if damage is not None:
            outcome.unreadable[name] = damage

    def _put(self, part: Path, place: PurePosixPath) -> Path:
        """Give the file its name, durably; it gets another name if that one is taken."""
        folder = self._folder / place.parent
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self._folder.resolve()):  # Somebody has put a link there.
            raise UploadError("Its folder leads elsewhere.")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        for number in range(1, MOST_FILES):
            suffix = f" ({number})" if number > 1 else ""
            target = folder / f"{place.stem}{suffix}{place.suffix}"
            try:
                os.link(part, target)  # This fails where the name is taken, and so replaces nothing.
            except FileExistsError:
                continue
            except OSError:  # The file system has no hard links.
                if target.exists():
                    continue
                part.rename(target)
            _sync(folder)
            return target
        raise UploadError("Too many files have its name.")

    # --- duplicates ---------------------------------------------------------------------------------------------------

    def _known(self) -> defaultdict[int, set[Path]]:
        """All images by size; the first upload lists them."""
        if self._by_size is None:
            self._by_size = defaultdict(set)
            for path in self._listed():
                size = _size(path)
                if size is not None:
                    self._by_size[size].add(path)
        return self._by_size

    def _twin(self, size: int, digest: str) -> Path | None:
        """An image that is still there and has the same content; None: there is none."""
        for path in sorted(self._known()[size]):
            try:
                signature = _signature(path)
                known = self._hashes.get(path)
                if known is None or known[:2] != signature:
                    self._hashes[path] = known = (*signature, _digest(path))
            except OSError:  # The file has gone.
                continue
            if signature[0] == size and known[2] == digest:
                return path
        return None

    # --- zips ---------------------------------------------------------------------------------------------------------

    def _unpack(self, part: Path, name: str, outcome: Uploaded) -> None:
        """Store the images of a zip one by one; report the other files and leave them out."""
        try:
            with zipfile.ZipFile(part) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
                _check_bomb(entries)
                for entry in entries:
                    self._take_entry(archive, entry, PurePosixPath(name).stem, outcome)
        except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            raise UploadError(f"It is no good zip ({str(error).rstrip('.')[:100]}).") from None

    def _take_entry(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, stem: str, outcome: Uploaded) -> None:
        *folders, file_name = entry.filename.replace("\\", "/").split("/")
        if file_name.startswith(".") or "__MACOSX" in folders:  # Operating systems add such files.
            return
        inner = self.begin()
        try:
            place_of(entry.filename)
            if entry.flag_bits & 1:
                raise UploadError("It is encrypted.")
            with archive.open(entry) as packed, inner.open("wb") as file:
                _copy(packed, file, entry.file_size)
            self._take(inner, f"{stem}/{entry.filename}", outcome)
        except UploadError as error:
            outcome.refused[entry.filename] = str(error)
        except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
            outcome.refused[entry.filename] = f"It is damaged ({str(error).rstrip('.')[:100]})."
        finally:
            inner.unlink(missing_ok=True)


def _check_bomb(entries: list[zipfile.ZipInfo]) -> None:
    """Raise UploadError if a zip unpacks to far more than images do."""
    if len(entries) > MOST_FILES:
        raise UploadError(f"It holds more than {MOST_FILES} files.")
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > MOST_UNPACKED:
        raise UploadError(f"It unpacks to more than {MOST_UNPACKED >> 30} GiB.")
    if unpacked > MOST_RATIO * max(packed, 2**20):
        raise UploadError(f"It unpacks to more than {MOST_RATIO} times its size.")
    starts = sorted((entry.header_offset, entry.compress_size) for entry in entries)
    if any(start + size > after for (start, size), (after, _) in itertools.pairwise(starts)):
        raise UploadError("Its files overlap.")  # A small zip can name the same bytes again and again.


def _copy(packed: object, file: BinaryIO, size: int) -> None:
    """Unpack at most as many bytes as the directory of the zip states."""
    left = min(size, MOST_IMAGE_BYTES + 1)
    while left > 0 and (chunk := packed.read(min(CHUNK_BYTES, left))):  # type: ignore[attr-defined]
        file.write(chunk)
        left -= len(chunk)


def place_of(name: str) -> PurePosixPath:
    """The path of a file with this name, relative to the folder of uploads.

    Raises:
        UploadError: it is not the name of an image.
    """
    text = unicodedata.normalize("NFC", NOT_IN_NAMES.sub("_", name.replace("\\", "/")))
    parts = [part.strip(" ") for part in text.split("/")]
    if any(part == ".." for part in parts):
        raise UploadError("Its name leads out of the folder.")
    if any(part.lower() in NO_PHOTOS for part in parts) or parts[-1].startswith("._"):
        raise UploadError("It lies in a folder, or has a name, that a system gives to what is no photo.")
    kept = [_short(part.lstrip(".") or "_") for part in parts if part not in {"", "."}][-8:]
    if not kept or PurePosixPath(kept[-1]).suffix.lower() not in IMAGE_SUFFIXES:
        raise UploadError("It is no image that can be shown.")
    return PurePosixPath(*kept)


def _short(part: str) -> str:
    """A part of a path, changed so that every file system accepts it."""
    part = f"_{part}" if DEVICES.match(part) else part
    path = PurePosixPath(part)
    stem, suffix = path.stem, path.suffix[:10]
    while len(f"{stem}{suffix}".encode("utf-8", "replace")) > NAME_BYTES:
        stem = stem[:-1]
    return f"{stem}{suffix}".encode("utf-8", "replace").decode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _signature(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
