"""Whether image files can be decoded at all: tried in a process that no file can take the server along with."""

from pathlib import Path

from IA.images.pictures import UnreadableError
from IA.images.pixels import upright_pixels
from IA.images.workers import Workers

LEAST_PX = 1  # it is only looked at for damage, as small as it can be decoded


class Damage:
    """Looks at one file at a time; `look` may be called from any thread."""

    def __init__(self, inside: Path | None) -> None:
        """Start nothing yet; every file must lie in the folder `inside`, None: anywhere."""
        self._inside = inside
        self._workers = Workers(1)

    def look(self, path: Path) -> str | None:
        """What is wrong with an image, in one sentence; None: nothing, or it cannot be opened now."""
        try:
            self._workers.call(upright_pixels, path, LEAST_PX, self._inside)
        except UnreadableError as error:
            return str(error)
        except OSError:
            return None
        return None

    def close(self) -> None:
        """End the process; who waits is told nothing."""
        self._workers.close()
