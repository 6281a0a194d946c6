"""Moves skipped images out of the way: python -m backend.quarantine RUN --to FOLDER [--unreadable] [--dry-run].

The images keep their sub-folders, and FOLDER/manifest.jsonl records where each one was before the command moves it.
--unreadable also moves the images that the model could not read. In a run with --tile a photo is moved once all its
tiles are skipped. `--back FOLDER` instead of `--to FOLDER` puts all of them back. Nothing is ever overwritten or
deleted. The command may be stopped at any moment: each image is then in one of the two places, and the same command
goes on.
"""

import argparse
import contextlib
import errno
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from backend.images.damage import Damage
from backend.images.moving import NotMovedError, digest, make_folder, move, sync_folder
from backend.images.names import displayed
from backend.runs.alone import alone
from backend.runs.reading import RunReading, opened
from config import Parser, UsageError
from IA.images.tiles import Grid, photo_of
from IA.process.loop import one_sentence
from IA.protocol.files import IMAGES, PREDICTIONS
from IA.protocol.pickle_file import read
from IA.text.words import counted

MANIFEST = "manifest.jsonl"
TELL = 5  # The report gives so many examples of each kind.


@dataclass
class Quarantined:
    """What became of the images.

    Attributes:
        moved: images that are in their new place.
        kept: images that stay where they are, with the reason.
    """

    moved: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)


def chosen(reading: RunReading, unreadable: bool, outcome: Quarantined) -> Iterator[str]:
    """The files to move: skipped ones and, if asked for, unreadable ones without a label.

    A photo with some skipped tiles, but not all, is noted as kept.

    Raises:
        UsageError: the answers cannot be read, or no model has looked at the images; raised before the first file.
    """
    found = _found_unreadable(reading) if unreadable else ()
    labels, skipped = set[str](), Counter[str]()
    for answer in reading.moment():
        labels.add(photo_of(answer.path))
        if answer.label == "skipped":
            skipped[photo_of(answer.path)] += 1
    grid = Grid.from_text(reading.settings.tile)
    tiles = len(grid) if grid else 1
    whole = [photo for photo, count in skipped.items() if count >= tiles]
    for photo, count in skipped.items():
        if count < tiles:
            outcome.kept[photo] = f"{counted(count, 'tile', 'tiles')} of {tiles} skipped"
    return chain(whole, _unreadable(reading, [photo for photo in found if photo not in labels]))


def _found_unreadable(reading: RunReading) -> Iterable[str]:
    """The files that the inference loop could not read. Raises UsageError."""
    try:
        images = read(reading.run, IMAGES).content
        numbers = read(reading.run, PREDICTIONS).content.unreadable
    except (OSError, ValueError):
        raise UsageError(f"No model has looked at the images of {reading.run}; leave --unreadable out.") from None
    return dict.fromkeys(photo_of(images[number]) for number in numbers if number < len(images))


def _unreadable(reading: RunReading, paths: Iterable[str]) -> Iterator[str]:
    """The files that still cannot be read; a person may have mended some since."""
    with contextlib.closing(Damage(reading.inside)) as damage:
        yield from (path for path in paths if damage.look(reading.datadir / path) is not None)


def put_away(reading: RunReading, folder: Path, unreadable: bool = False, dry_run: bool = False) -> Quarantined:
    """Move images from DATADIR to a folder.

    Args:
        reading: the run.
        folder: where the images go; it is made if it is missing.
        unreadable: also move the images that could not be read.
        dry_run: move nothing.

    Raises:
        UsageError: the folder is unsuitable.
    """
    datadir = _folder_of_images(reading)
    _check_place(folder, datadir)
    outcome = Quarantined()
    paths = chosen(reading, unreadable, outcome)
    with contextlib.ExitStack() as stack:
        manifest = None if dry_run else stack.enter_context(_Manifest.opened(folder))
        for path in paths:
            with _noted(outcome, path):
                origin = _plain_file(datadir, path)
                if manifest is not None:
                    sha256 = digest(origin)
                    manifest.add(path, datadir, sha256)
                    move(origin, folder / path, sha256)
    return outcome


def put_back(reading: RunReading, folder: Path, dry_run: bool = False) -> Quarantined:
    """Move images from a folder that `put_away` has filled back to where they were.

    Raises:
        UsageError: nothing was ever put away there, or its images are not from this run's folder.
    """
    datadir = _folder_of_images(reading)
    outcome = Quarantined()
    for path, entry in entries(folder, datadir).items():
        origin = folder / path
        if not os.path.lexists(origin):  # It is back already, or was never moved.
            if not os.path.lexists(datadir / path):
                outcome.kept[path] = "it is in neither place"
            continue
        with _noted(outcome, path):
            _plain_file(folder, path)
            if not dry_run:
                sha256 = digest(origin)
                move(origin, datadir / path, sha256)
                if sha256 != entry["sha256"]:
                    outcome.kept[path] = "it is back, but has changed since it was put away"
                _remove_empty(origin.parent, folder)
    return outcome


def entries(folder: Path, datadir: Path) -> Mapping[str, dict[str, Any]]:
    """The last entry of the manifest for each image; a line without its end is left out, as its move never began.

    Raises:
        UsageError: there is no manifest, or it describes another folder of images that still exists.
    """
    try:
        lines = (folder / MANIFEST).read_bytes().splitlines(keepends=True)
        found = [json.loads(line) for line in lines if line.endswith(b"\n")]
        latest = {str(entry["to"]): dict(entry) for entry in found}
        homes = {Path(entry["datadir"]) for entry in found}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder / MANIFEST} cannot be read ({type(error).__name__}); name another folder.") from None
    for path in latest:
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise UsageError(f"{folder / MANIFEST} names {displayed(path)!r}, which leads out; name another folder.")
    for home in homes - {datadir}:
        if home.is_dir():
            raise UsageError(f"{folder} holds images of {home}, which is another folder of images; name its run.")
    return latest


def _folder_of_images(reading: RunReading) -> Path:
    if not reading.datadir.is_dir():
        raise UsageError(f"The images were in {reading.datadir}, and that is away; start again when it is back.")
    return reading.datadir.resolve()


def _check_place(folder: Path, datadir: Path) -> None:
    place = folder.resolve()
    if place.is_relative_to(datadir) and not any(part.startswith(".") for part in place.relative_to(datadir).parts):
        raise UsageError(f"{folder} is in the folder of images, and would be asked about again; name another.")
    if datadir.is_relative_to(place):
        raise UsageError(f"{folder} holds the folder of images itself; name another.")
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name another.")
    if (folder / MANIFEST).exists():
        entries(folder, datadir)
    elif folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds something else; name one that is empty or new.")


def _plain_file(folder: Path, path: str) -> Path:
    """The file at a path. Raises NotMovedError if a link leads to it, as it may belong to somebody else then."""
    place = folder / path
    if not os.path.lexists(place):
        raise NotMovedError("it is not there any more")
    if place.is_symlink() or place.resolve() != folder.resolve() / path:
        raise NotMovedError("it is behind a link")
    if not place.is_file():
        raise NotMovedError("it is no file")
    return place


@contextlib.contextmanager
def _noted(outcome: Quarantined, path: str) -> Iterator[None]:
    """Note whether the block moves the image; a failure with one image does not stop the others."""
    try:
        yield
        outcome.moved.append(path)
    except NotMovedError as error:
        outcome.kept[path] = str(error)
    except OSError as error:
        outcome.kept[path] = (error.strerror or str(error)).lower()


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove folders that have become empty, but not the top one, which has the manifest."""
    with contextlib.suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


class _Manifest:
    """A file of lines; each line is on the disk before the move that it describes begins."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self._end_last_line()

    @classmethod
    @contextlib.contextmanager
    def opened(cls, folder: Path) -> Iterator["_Manifest"]:
        """Open the manifest of a folder, and make both where they are missing. Raises OSError."""
        make_folder(folder)
        with (folder / MANIFEST).open("a+b", buffering=0) as file:
            sync_folder(folder)
            yield cls(file)

    def add(self, path: str, datadir: Path, sha256: str) -> None:
        """Write down a move that is about to begin."""
        entry = {
            "from": str(datadir / path),
            "to": path,
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sha256": sha256,
            "datadir": str(datadir),
        }
        line = json.dumps(entry).encode() + b"\n"
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:  # Without its line in the manifest no image is moved, and the command ends.
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{self._file.name} cannot be written: {reason}; make room, and start again.") from None

    def _end_last_line(self) -> None:
        """Cut off a line that an interruption has left unfinished, because its move never began."""
        self._file.seek(0)
        content = self._file.readall()
        if not content.endswith(b"\n"):
            self._file.truncate(content.rfind(b"\n") + 1)


def report(outcome: Quarantined, to: Path, dry_run: bool) -> Iterator[str]:
    """The report for the person, line by line."""
    if dry_run:
        yield f"{counted(len(outcome.moved), 'image', 'images')} would go to {to}"
    else:
        yield f"{counted(len(outcome.moved), 'image is', 'images are')} now in {to}"
    yield from (f"  {displayed(path)}" for path in outcome.moved[:TELL])
    if len(outcome.moved) > TELL:
        yield f"  and {len(outcome.moved) - TELL} more"
    if outcome.kept:
        yield counted(len(outcome.kept), "is worth a look", "are worth a look")
        yield from (f"  {displayed(path)}: {reason}" for path, reason in list(outcome.kept.items())[:TELL])
        if len(outcome.kept) > TELL:
            yield f"  and {len(outcome.kept) - TELL} more"


def main() -> None:
    """Move what the command line names."""
    parser = Parser(
        prog="python -m backend.quarantine", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=_path, help="the run directory; no session may be working on it")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--to", type=_path, metavar="FOLDER", help="move skipped images there")
    way.add_argument("--back", type=_path, metavar="FOLDER", help="move them back from there")
    parser.add_argument("--unreadable", action="store_true", help="also those that cannot be read")
    parser.add_argument("--dry-run", action="store_true", help="move nothing, only report")
    given = parser.parse_args()
    if given.back and given.unreadable:
        raise UsageError("--back puts back all that is there; leave --unreadable out.")
    reading = opened(given.run)
    with alone(given.run, "move them"):
        try:
            if given.back:
                outcome, to = put_back(reading, given.back, given.dry_run), reading.datadir
            else:
                outcome, to = put_away(reading, given.to, given.unreadable, given.dry_run), given.to
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{given.to or given.back} cannot be written: {reason}.") from None
    sys.stdout.writelines(f"{line}\n" for line in report(outcome, to, given.dry_run))


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    one_sentence(main)
