"""Moves a file so that it is in its old or its new place at every moment; nothing is ever overwritten."""

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
)  # The target is on another disk, or its file system has no links.


class NotMovedError(Exception):
    """The file stays where it is; the message is the reason, in a few words."""


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
    """Make a folder and its parents, durably. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        sync_folder(folder.parent)


def move(source: Path, target: Path, sha256: str) -> None:
    """Move a file; after an interruption at any moment it is in one of the two places or in both.

    If both files exist already and are equal, an earlier move was interrupted, and this call finishes it.

    Args:
        source: a file, not a link.
        target: the new path; its folder is made.
        sha256: digest of the content.

    Raises:
        NotMovedError: another file is at the target, or the file changed while it was moved; it is still where it was.
        OSError: the disk reports an error; the file may be in both places.
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
    _part(target).unlink(missing_ok=True)  # An interrupted copy may have left it.
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
    """The path where a copy is made; always the same one, so that an interrupted copy is found again."""
    return target.with_name(fitting(f".{target.name}", ".moving-part"))


def _name(part: Path, target: Path) -> None:
    """Give a copy its name, if the name is free."""
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
