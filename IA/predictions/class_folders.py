"""Copies of images or links to them in a folder for each class; nothing that is there is ever overwritten."""

import errno
import filecmp
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from config import UsageError

Link = Literal["copy", "hard", "symbolic"]
PART = ".part"  # an unfinished copy; the next copy overwrites what a dead process left
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)


class ClassFolders:
    """`DIR/class/path of the image`.

    Attributes:
        placed: how many images this object has put there.
        there: how many images were there before.
    """

    def __init__(self, folder: Path, directory: Path, classes: Iterable[str], link: Link) -> None:
        """Check where the images will go; this makes no folder yet.

        Args:
            folder: the folder of the images.
            directory: the folder for the classes; `make` makes it.
            classes: the names of the answers.
            link: whether to copy the images or how to link to them.

        Raises:
            UsageError: the directory lies among the images, or two classes would share a folder.
        """
        self._folder, self._link = folder.resolve(), link
        self._directory = directory.resolve()
        if self._directory.is_relative_to(self._folder):
            raise UsageError(f"{directory} lies in {folder}, whose images it is to sort; name a folder elsewhere.")
        self._of_class = {name: self._directory / _folder_name(name) for name in classes}
        if len({str(path).casefold() for path in self._of_class.values()}) < len(self._of_class):
            raise UsageError(f"The classes {' and '.join(self._of_class)} would share a folder; --to-folders cannot.")
        self.placed = self.there = 0

    def make(self) -> None:
        """Make the folders. Raises UsageError if that fails."""
        try:
            for path in self._of_class.values():
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be made: {error.strerror}.") from None

    def put(self, path: str, label: str) -> str | None:
        """Put one image into the folder of its class.

        Args:
            path: the image, relative to the folder.
            label: one of the classes.

        Returns:
            Why the image was left out; None if it is there now.

        Raises:
            OSError: the disk is full, or cannot be written.
        """
        source, target = self._folder / path, self._of_class[label] / path
        for name, other in self._of_class.items():
            if name != label and os.path.lexists(other / path):
                return f"it is in {other.name}/ already"
        if os.path.lexists(target):
            return self._found(source, target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            return f"{target.parent} is no folder"
        try:
            self._make(source.resolve(strict=True), target)
        except FileExistsError:
            return self._found(source, target)
        except FileNotFoundError:
            return "it went away"
        except OSError as error:
            if error.errno in (errno.EACCES, errno.ENAMETOOLONG):
                return str(error.strerror)
            if error.errno == errno.EXDEV:
                raise UsageError(f"{self._directory} is on another disk; use --link copy or symbolic.") from None
            raise
        self.placed += 1
        return None

    def _found(self, source: Path, target: Path) -> str | None:
        """None if the file that is there is this image; else why the image was left out."""
        try:
            same = target.samefile(source) or (self._link == "copy" and filecmp.cmp(source, target))
        except OSError:
            same = False
        self.there += same
        return None if same else f"another file is in {target.parent} already"

    def _make(self, source: Path, target: Path) -> None:
        if self._link == "symbolic":
            target.symlink_to(source)
        elif self._link == "hard":
            os.link(source, target)
        else:
            _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Copy a file with its times, as a whole or not at all, and never over a file that is there."""
    part = target.with_name(PART)
    try:
        shutil.copy2(source, part)
        try:
            os.link(part, target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            part.rename(target)
    finally:
        part.unlink(missing_ok=True)


def _folder_name(name: str) -> str:
    """The name of the folder for a class; it is visible and leads to no other folder."""
    safe = "".join("_" if letter in "/\\:\0" else letter for letter in name).strip()
    return f"_{safe}" if not safe or safe.startswith(".") else safe
