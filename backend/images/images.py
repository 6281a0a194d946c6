"""The images: listing DATADIR, following it, and the number that each path keeps for good.

With a grid the images are the tiles of the photos there: those of one photo have numbers in a row.
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

    `on_change(number)` is called, from that thread, for each image that is there, came, went, came back or was written
    anew; for one that came only once images.pickle has it: whatever happens then, the number stays that image's.
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
        """Whether the folder is listed at intervals, for the system does not report all changes in it."""
        return self._follower.lists_again

    def publish_again(self) -> None:
        """Publish the paths again: the file was deleted."""
        self._numbers.publish_again()
        self._follower.wake()

    def __len__(self) -> int:
        """How many numbers are given, those of removed images included."""
        return len(self._numbers.paths)

    @property
    def published(self) -> int:
        """How many of them images.pickle has."""
        return self._numbers.published

    @property
    def present(self) -> int:
        """How many images there are now."""
        return len(self) - len(self._numbers.gone)

    @property
    def photos(self) -> int:
        """How many files these are."""
        return self.present // self._numbers.tiles

    def path(self, number: int) -> str:
        """The path relative to DATADIR; of a tile with its mark. Raises IndexError for a number never given."""
        if number < 0:
            raise IndexError(number)
        return self._numbers.paths[number]

    def files(self) -> Iterator[Path]:
        """The files of all images that were ever known."""
        firsts = range(0, len(self), self._numbers.tiles)
        return (self.datadir / photo_of(self._numbers.paths[number]) for number in firsts)

    def number(self, path: str) -> int | None:
        """The number of a path."""
        return self._numbers.paths.number(path)

    def is_gone(self, number: int) -> bool:
        """Whether the file was removed."""
        return number in self._numbers.gone

    def file(self, number: int, whole: bool = False) -> Path:
        """The file itself; of a tile that of its photo, with its mark, or the whole photo.

        Raises:
            FileNotFoundError: there is no such image, or a link has come to lead out of DATADIR.
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
        """A key of the file's content as it is now, for addresses that may be cached for good."""
        photo = photo_of(self._numbers.paths[number])
        path = photo if whole else self._numbers.paths[number]
        signature = watching.signature(self.datadir / photo)
        return hashlib.blake2b(repr((path, signature)).encode("utf-8", "replace"), digest_size=6).hexdigest()
