"""Images into a folder for each class: by copy or by link, never over anything that is there."""

import errno
import filecmp
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from config import UsageError

Link = Literal["copy", "hard", "symbolic"]
PART = ".part"  # a copy under way; what a dead one left is written over
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)


class ClassFolders:
    """`DIR/class/path of the image`.

    Attributes:
        placed: how many images were put there.
        there: how many were there before.
    """

    def __init__(self, folder: Path, directory: Path, classes: Iterable[str], link: Link) -> None:
        """See that the images could go there; nothing is made yet.

        Args:
            folder: of the images.
            directory: to put them in; made if need be.
            classes: the names of the answers.
            link: how to put them there.

        Raises:
            UsageError: the directory is among the images, or the names make the same folder.
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
        """Make the folders. Raises UsageError."""
        try:
            for path in self._of_class.values():
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{error.filename} cannot be made: {error.strerror}.") from None

    def put(self, path: str, label: str) -> str | None:
        """Put one image into the folder of its class.

        Args:
            path: of the image, relative to the folder.
            label: one of the classes.

        Returns:
            Why that was left undone; None where the image is there.

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
        """What is there is the image, or something that stays as it is."""
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
    """A whole copy or none, with its times; never over a file that is there."""
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
    """A class as one folder's name, visible and nowhere else."""
    safe = "".join("_" if letter in "/\\:\0" else letter for letter in name).strip()
    return f"_{safe}" if not safe or safe.startswith(".") else safe
