"""Replacing a file as a whole and durably, and sweeping up what a writer leaves that dies meanwhile."""

import contextlib
import os
from pathlib import Path

from config import UsageError


def replace(path: Path, data: bytes | memoryview, mode: int = 0o666) -> None:
    """Put `data` in place of the file. A reader sees the old file or the new one, even after a power cut.

    Args:
        path: the file.
        data: the whole new content.
        mode: who may read and write the file, less the umask.

    Raises:
        OSError: the disk is full or read-only. The old file is untouched, or the new one is there but may not survive
            a power cut.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None  # the error of a write names no file


def check_writable(*paths: Path) -> None:
    """Check before the work begins that these files can be written at its end; this creates nothing.

    Raises:
        UsageError: a file cannot be written.
    """
    for path in paths:
        folder = path.parent
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}; make it first, or name another file.")
        if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
            why = "it is a folder" if path.is_dir() else "permission denied"
            raise UsageError(f"{path} cannot be written ({why}); name another file.")


def sweep(run: Path, *names: str) -> None:
    """Remove the temporary files that dead writers of these files left. Only the writer of the files may call this."""
    for name in names:
        for temporary in run.glob(f".{name}.*.tmp"):
            temporary.unlink(missing_ok=True)
