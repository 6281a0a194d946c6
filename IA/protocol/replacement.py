"""A file that is replaced as a whole, durably, and what a writer that died over it leaves behind."""

import contextlib
import os
from pathlib import Path

from config import UsageError


def replace(path: Path, data: bytes | memoryview, mode: int = 0o666) -> None:
    """Put `data` in place of the file, durably: a reader sees the old file or the new one, also after a power cut.

    Args:
        path: of the file.
        data: all that is to be in it.
        mode: who may read and write it, less the umask.

    Raises:
        OSError: the disk is full or read-only; the old file is untouched, or the new one there but maybe not for good.
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
        raise OSError(error.errno, error.strerror, str(path)) from None  # a write does not say of which file


def check_writable(*paths: Path) -> None:
    """See, before the work begins, that these files could be written at its end; nothing is made.

    Raises:
        UsageError: one could not.
    """
    for path in paths:
        folder = path.parent
        if not folder.is_dir():
            raise UsageError(f"There is no folder {folder}; make it first, or name another file.")
        if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
            why = "it is a folder" if path.is_dir() else "permission denied"
            raise UsageError(f"{path} cannot be written ({why}); name another file.")


def sweep(run: Path, *names: str) -> None:
    """Remove the temporaries that dead writers of these files left; call it as their only writer."""
    for name in names:
        for temporary in run.glob(f".{name}.*.tmp"):
            temporary.unlink(missing_ok=True)
