"""The images of DATADIR, which a thread lists and follows; each path keeps its number for good.

With a grid the images are the tiles of the photos; the tiles of one photo have consecutive numbers.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from backend.images.follower import Follower
from backend.images.numbers import Numbers
from IA.images.tiles import Grid, photo_of
from IA.protocol import watching


class Images:
    """Every image of DATADIR by number; a thread lists and follows the folder.

    That thread calls `on_change(number)` for each image that is there, came, went, came back or was rewritten; for an
    image that came, it does so only after images.pickle has it. From then on the number always belongs to that image.
    """

    def __init__(
        self,
        run: Path,
        datadir: Path,
        on_change: Callable[[int], None] = lambda number: None,
        follow_links: bool = False,
        grid: Grid | None = None,
    ) -> None:
        self.datadir = datadir
        self.grid = grid
        self._follow_links = follow_links
        self._numbers = Numbers(run.resolve(), datadir, on_change, grid)
        self._follower = Follower(run.resolve(), datadir, self._numbers, follow_links)

    def start(self) -> None:
        """Begin to list and follow."""
        self._follower.start()

    def close(self) -> None:
        """End the thread."""
        self._follower.close()

    @property
    def listing(self) -> bool:
        """Whether the folder has not been listed to its end yet."""
        return self._follower.is_listing

    @property
    def lists_again(self) -> bool:
        """Whether the folder is listed at intervals, because the system does not report all changes in it."""
        return self._follower.lists_again

    @property
    def tiles(self) -> int:
        """How many images each file holds."""
        return self._numbers.tiles

    def publish_again(self) -> None:
        """Publish the paths again, because the file was deleted."""
        self._numbers.publish_again()
        self._follower.wake()

    def __len__(self) -> int:
        """How many numbers were given, including those of removed images."""
        return len(self._numbers.paths)

    @property
    def published(self) -> int:
        """How many images images.pickle has."""
        return self._numbers.published

    @property
    def present(self) -> int:
        """How many images there are now."""
        return len(self) - len(self._numbers.gone)

    @property
    def photos(self) -> int:
        """How many files hold the images that are there now."""
        return self.present // self._numbers.tiles

    def path(self, number: int) -> str:
        """The path relative to DATADIR; a tile's path has its mark. Raises IndexError for a number never given."""
        if number < 0:
            raise IndexError(number)
        return self._numbers.paths[number]

    def files(self) -> Iterator[Path]:
        """The files of all images that were ever there."""
        firsts = range(0, len(self), self._numbers.tiles)
        return (self.datadir / photo_of(self._numbers.paths[number]) for number in firsts)

    def number(self, path: str) -> int | None:
        """The number of a path."""
        return self._numbers.paths.number(path)

    def is_gone(self, number: int) -> bool:
        """Whether the file was removed."""
        return number in self._numbers.gone

    def file(self, number: int, whole: bool = False) -> Path:
        """The file of an image; for a tile the file of its photo with the tile's mark, or without it if `whole`.

        Raises:
            FileNotFoundError: there is no such image, or a link leads out of DATADIR now.
        """
        try:
            path = self.path(number)
        except IndexError:
            raise FileNotFoundError(f"no image {number}") from None
        photo = self.datadir / photo_of(path)
        if not self._follow_links and not photo.resolve().is_relative_to(self.datadir):
            raise FileNotFoundError(f"{photo} leads out of {self.datadir}")
        return photo if whole else self.datadir / path

    def version(self, number: int, whole: bool = False) -> str:
        """A key of the file's present content, for addresses that may be cached for good."""
        photo = photo_of(self._numbers.paths[number])
        path = photo if whole else self._numbers.paths[number]
        signature = watching.signature(self.datadir / photo)
        return hashlib.blake2b(repr((path, signature)).encode("utf-8", "replace"), digest_size=6).hexdigest()
