"""Checks whether image files can be decoded, in a process of its own, so that no file can crash the server."""

from pathlib import Path

from IA.images.pictures import UnreadableError
from IA.images.pixels import upright_pixels
from IA.images.workers import Workers

LEAST_PX = 1  # A check for damage decodes the image as small as possible.


class Damage:
    """Looks at one file at a time; `look` may be called from any thread."""

    def __init__(self, inside: Path | None) -> None:
        """Start nothing yet; every file must lie in the folder `inside`; None: it may lie anywhere."""
        self._inside = inside
        self._workers = Workers(1)

    def look(self, path: Path) -> str | None:
        """What is wrong with an image, in one sentence; None: nothing is wrong, or the file cannot be opened now."""
        try:
            self._workers.call(upright_pixels, path, LEAST_PX, self._inside)
        except UnreadableError as error:
            return str(error)
        except OSError:
            return None
        return None

    def close(self) -> None:
        """End the process."""
        self._workers.close()
