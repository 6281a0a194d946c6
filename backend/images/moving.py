"""Moves a file so that at every moment it is in its old or its new place; nothing is ever overwritten."""

import contextlib
import errno
import hashlib
import os
import shutil
from pathlib import Path

from backend.images.file_names import fitting

CHUNK_BYTES = 1 << 20
NO_LINK = (
    errno.EXDEV,
    errno.EPERM,
    errno.ENOTSUP,
    errno.EMLINK,
    errno.ENOSYS,
)  # another disk, or one without links


class NotMovedError(Exception):
    """The file stays where it is: the reason, in a few words."""


def digest(path: Path) -> str:
    """SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Sync the entries of a folder to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        sync_folder(folder.parent)


def move(source: Path, target: Path, sha256: str) -> None:
    """Move a file; whenever this is interrupted, it is in one of the two places or in both.

    Where both are there already and alike, an earlier move was interrupted, and is finished.

    Args:
        source: a file, no link.
        target: where it goes; its folder is made.
        sha256: of its content.

    Raises:
        NotMovedError: another file is in its place, or it was changed while it was moved; it is still where it was.
        OSError: the disk says no; the file may be in both places.
    """
    before = _state(source)
    if os.path.lexists(target):
        if target.is_symlink() or not target.is_file() or digest(target) != sha256:
            raise NotMovedError(f"another file is at {target}")
    else:
        make_folder(target.parent)
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            _copy(source, target, sha256)
    _part(target).unlink(missing_ok=True)  # An interrupted copy has left it.
    sync_folder(target.parent)
    if _state(source) != before:
        raise NotMovedError("it was changed meanwhile")
    source.unlink()
    sync_folder(source.parent)


def _state(path: Path) -> tuple[int, int, int, int]:
    status = path.stat(follow_symlinks=False)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file with its times; sync and compare the copy before it gets its name."""
    part = _part(target)
    try:
        with source.open("rb") as content, part.open("wb") as copy:
            shutil.copyfileobj(content, copy, CHUNK_BYTES)
            copy.flush()
            os.fsync(copy.fileno())
        shutil.copystat(source, part)
        if digest(part) != sha256:
            raise NotMovedError("its copy differs from it")
        _name(part, target)
    finally:
        part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    """Where a copy is made: always the same place, so that an interrupted one is found again."""
    return target.with_name(fitting(f".{target.name}", ".moving-part"))


def _name(part: Path, target: Path) -> None:
    """Give a copy its name, if that is free."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise NotMovedError(f"another file is at {target}") from None
    except OSError as error:
        if error.errno not in NO_LINK:
            raise
        if os.path.lexists(target):
            raise NotMovedError(f"another file is at {target}") from None
        part.rename(target)
