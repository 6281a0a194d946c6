"""The image files of the answers, for the formats that hold them or report their size."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from IA.images.exif import NOTHING, Taken, taken
from IA.images.pictures import UnreadableError, descriptor_of, opened, upright_size_px

CHUNK_BYTES = 1 << 18


class MissingError(Exception):
    """An image file is missing or unreadable; the message is one sentence with the reason."""


@dataclass(frozen=True)
class Pictures:
    """The image files of a run.

    Attributes:
        datadir: the folder that paths are relative to.
        inside: the folder that links may not lead out of; None: they may lead anywhere.
    """

    datadir: Path
    inside: Path | None = None

    def place(self, path: str) -> Path:
        """The file of an image. Raises MissingError for a path that leads out of the folder."""
        return Path(self._place(path))

    def _place(self, path: str) -> str:
        parts = path.split("/")
        if path.startswith("/") or ".." in parts or {"", "."}.issuperset(parts):
            raise MissingError("the path leads out of the folder")
        return f"{self.datadir}/{path}"

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """The open file of an image. Raises MissingError if it cannot be opened, or cannot be read in the block."""
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(opened(self.place(path), self.inside))
            except (OSError, UnreadableError, ValueError) as error:  # ValueError: no file can have such a name.
                raise MissingError(reason(error)) from None
            try:
                yield file
            except OSError as error:
                raise MissingError(reason(error)) from None

    def size_px(self, path: str) -> tuple[int, int]:
        """Width and height as a person sees them, from the header alone. Raises MissingError."""
        with self.open(path) as file:
            try:
                return upright_size_px(file)
            except UnreadableError as error:
                raise MissingError(reason(error)) from None

    def taken(self, path: str) -> Taken:
        """What the camera has written into the header; empty if the file cannot be read."""
        try:
            descriptor = descriptor_of(self._place(path), self.inside)
        except (MissingError, UnreadableError, OSError, ValueError):
            return NOTHING
        try:
            return taken(descriptor)
        except OSError:
            return NOTHING
        finally:
            os.close(descriptor)


def chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The first `size` bytes, or fewer if the file has become shorter."""
    while size > 0 and (chunk := file.read(min(CHUNK_BYTES, size))):
        size -= len(chunk)
        yield chunk


def state(file: BinaryIO) -> tuple[int, int]:
    """A value that changes when the file is written to."""
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def changed_s(file: BinaryIO) -> float:
    """When the file was last written, seconds since 1970."""
    return os.fstat(file.fileno()).st_mtime


def reason(error: Exception) -> str:
    """What is wrong with a file, for the list of missing images."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return " ".join(reason.split()).rstrip(".").lower()
