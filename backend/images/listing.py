"""Decides which files in a folder are images to ask about, and which links are followed."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath

from config import pip_install
from IA.text.image_files import EXTRA_SUFFIXES, IMAGE_SUFFIXES, MISSING_SUFFIXES, UNREAD_SUFFIXES, is_left_out
from IA.text.words import counted

log = logging.getLogger(__name__)

# Files that are left out are not reported if they are at most so many, and at most this share of the images.
FEW, FEW_SHARE = 10, 0.01
NAMED = 4  # A sentence names at most so many endings.


class Listing:
    """Lists the images of DATADIR. A link counts if it leads to a place in DATADIR, or if all links are followed.

    Attributes:
        leading_out: how many links of the last walk led out of DATADIR and were not followed.
        missing: how many images of the last walk need a package that is not installed, by their ending.
        others: how many other pictures and films the last walk found, by their ending.
        unread: the folders that the last walk could not read.
        folders: the folders of the last walk.
        entered: the folders outside of DATADIR that links of the last walk led to.
    """

    def __init__(self, datadir: Path, leave_out: Path | None = None, follow_links: bool = False) -> None:
        """List nothing yet.

        Args:
            datadir: the folder, without links in its path.
            leave_out: a run directory inside it, which is not entered.
            follow_links: also follow links that lead out of it.
        """
        self._datadir = datadir
        self._leave_out = leave_out
        self._follow_links = follow_links
        self.leading_out = 0
        self.missing: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.unread: list[Path] = []
        self.folders: list[str] = []
        self.entered: set[Path] = set()

    def walk(self, folder: Path) -> Iterator[Path]:
        """The images in a folder and below, folder by folder in order of name; folders that `is_left_out` are skipped.

        The entries of a folder say which name is a file, so that only links cost a request to the file system.
        """
        self.leading_out, self.missing, self.others = 0, Counter(), Counter()
        self.unread, self.entered, self.folders = [], set(), []
        folders = [folder]
        while folders:
            here = folders.pop()
            try:
                with os.scandir(here) as entries:
                    inside = sorted((e for e in entries if not is_left_out(e.name)), key=lambda entry: entry.name)
            except OSError as error:
                log.info("%s cannot be listed (%s)", here, error.strerror)
                self.unread.append(here)
                continue
            self.folders.append(str(here))
            for entry in inside:
                suffix = PurePath(entry.name).suffix.lower()
                if suffix in IMAGE_SUFFIXES:
                    if self._is_file(entry):
                        yield Path(entry.path)
                elif suffix in MISSING_SUFFIXES:
                    self.missing[suffix] += 1
                elif suffix in UNREAD_SUFFIXES:
                    self.others[suffix] += 1
            folders += reversed([Path(entry.path) for entry in inside if self._is_folder(entry)])

    def _is_file(self, entry: "os.DirEntry[str]") -> bool:
        """Whether the file of this entry is an image to ask about."""
        try:
            return self.is_image(Path(entry.path), True) if entry.is_symlink() else entry.is_file(follow_symlinks=False)
        except OSError:  # The file system does not know the kind, or the file has gone.
            return False

    def is_image(self, path: Path, is_link: bool) -> bool:
        """Whether a path is a file to ask about."""
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            return False
        try:
            return path.is_file() and (not is_link or self._is_followed(path.resolve()))
        except (OSError, RuntimeError):  # The links form a circle.
            return False

    def enters(self, path: Path, is_link: bool) -> bool:
        """Whether to enter a path as a folder. A folder in DATADIR is listed by its own name, not through links."""
        try:
            if path == self._leave_out or not path.is_dir():
                return False
            if not is_link:
                return True
            target = path.resolve()
        except (OSError, RuntimeError):
            return False
        if target.is_relative_to(self._datadir) or not self._is_followed(target):
            return False
        if any(target.is_relative_to(folder) for folder in self.entered):  # The link may close a circle.
            return False
        self.entered.add(target)
        return True

    def _is_folder(self, entry: "os.DirEntry[str]") -> bool:
        if entry.is_symlink():
            return self.enters(Path(entry.path), is_link=True)
        try:
            return entry.is_dir(follow_symlinks=False) and Path(entry.path) != self._leave_out
        except OSError:
            return False

    def _is_followed(self, target: Path) -> bool:
        if self._follow_links or target.is_relative_to(self._datadir):
            return True
        self.leading_out += 1
        return False


def sentence_on_unread(others: Counter[str], images: int) -> str:
    """A sentence about images and films that no reader here opens; "" where they are few."""
    if others.total() < max(FEW, images * FEW_SHARE):
        return ""
    each = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(NAMED))
    more = ", and others" if len(others) > NAMED else ""
    return f"{counted(others.total(), 'file is', 'files are')} left out because of how they end ({each}{more})"


def sentence_on_missing(missing: Counter[str]) -> str:
    """A sentence about images that need a package that is not installed; "" where there are none."""
    if not missing:
        return ""
    extras = ",".join(sorted({EXTRA_SUFFIXES[suffix] for suffix in missing}))
    counts = counted(missing.total(), "image that ends", "images that end")
    are = "is" if missing.total() == 1 else "are"
    return (
        f"{counts} in {' or '.join(sorted(missing))} {are} left out: "
        f"{pip_install(extras)} installs what reads them; then start again"
    )
