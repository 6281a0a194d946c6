"""How many photos have a positive answer: where tiles are asked about, one positive tile is enough."""

from collections import Counter
from collections.abc import Iterable

from IA.images.tiles import split


class RollUp:
    """Counts photos while answers come and go; an image that is no tile is its own photo. Not thread-safe."""

    def __init__(self, positives: Iterable[str]) -> None:
        self._whole = 0
        self._tiles: Counter[str] = Counter()  # positive tiles of each photo that has any
        for path in positives:
            self.count(path, 1)

    def count(self, path: str, by: int) -> None:
        """Count one more positive answer (1), or one less (-1)."""
        photo, tile = split(path)
        if tile is None:
            self._whole += by
            return
        self._tiles[photo] += by
        if self._tiles[photo] == 0:
            del self._tiles[photo]

    @property
    def photos(self) -> int:
        """How many photos have a positive answer."""
        return self._whole + len(self._tiles)
