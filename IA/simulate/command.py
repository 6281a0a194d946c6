"""What the simulating commands share: their arguments, the photos they are given, the processes they play in."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from config import DEFAULT_NETWORK, UsageError, runs_folder
from IA.embedding.embedder import leave_room
from IA.simulate.sorted_photos import check_classes, embed
from IA.text.arguments import networks
from IA.text.network_names import named

Work = TypeVar("Work")
Played = TypeVar("Played")


@dataclass(frozen=True)
class SortedPhotos:
    """All photos of a folder that could be read.

    Attributes:
        vectors: (N, D) float32, their embeddings.
        files: the N files.
        classes: (N,) name of the class folder that each photo lies in.
        second: (N, E) float32, their embeddings by a second network; None: there is none.
    """

    vectors: NDArray[np.float32]
    files: Sequence[Path]
    classes: NDArray[np.str_]
    second: NDArray[np.float32] | None = None

    @property
    def class_names(self) -> list[str]:
        """The names of the class folders, sorted."""
        return sorted(set(self.classes.tolist()))


def shared_parser(
    description: str | None, *, is_folder_needed: bool = True, has_jobs: bool = True
) -> argparse.ArgumentParser:
    """A parser with the arguments that all commands have.

    Args:
        description: shown by `--help`.
        is_folder_needed: whether the folder must be named.
        has_jobs: whether the command plays in several processes.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", nargs=None if is_folder_needed else "?", help="holds a folder of images for each class"
    )
    parser.add_argument("--network", default=DEFAULT_NETWORK, metavar="NAME", type=networks)
    parser.add_argument("--cache", metavar="DIR", help="where embeddings are kept (runs/simulate-FOLDER)")
    if has_jobs:
        parser.add_argument(
            "--jobs", type=count, default=os.cpu_count() or 1, metavar="N", help="processes (one a core)"
        )
    else:
        parser.set_defaults(jobs=1)
    return parser


def share(text: str) -> float:
    """Parse an argument between 0 and 1."""
    if not 0 < float(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no share between 0 and 1")
    return float(text)


def count(text: str) -> int:
    """Parse an argument of 1 or more."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return int(text)


def checked_folder(given: argparse.Namespace, classes: Sequence[str] = ()) -> Path:
    """The folder that was named.

    Args:
        given: what `shared_parser` parsed.
        classes: class folders that must be there and hold images.

    Raises:
        UsageError: the folder or a class folder is not there, or a class folder holds no images.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    folder = Path(given.folder).expanduser().resolve()
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name one that holds a folder for each class.")
    check_classes(folder, classes)
    return folder


def sorted_photos(folder: Path, given: argparse.Namespace) -> SortedPhotos:
    """Embed all photos of a folder, or find their embeddings in the cache.

    Args:
        folder: from `checked_folder`.
        given: what `shared_parser` parsed.

    Raises:
        UsageError: there are no class folders with images.
    """
    leave_room(given.jobs)
    cache = Path(given.cache or runs_folder() / f"simulate-{folder.name}")
    first, *more = named(given.network)
    vectors, files = embed(folder, first, cache)
    second, _ = embed(folder, more[0], cache) if more else (None, files)  # the same files can be read
    return SortedPhotos(vectors, files, np.array([file.relative_to(folder).parts[0] for file in files]), second)


def play_all(play: Callable[[Work], Played], tasks: Sequence[Work], jobs: int) -> Iterator[Played]:
    """Play each task in one of several processes, with a progress bar; yields the outcomes in the tasks' order."""
    with ProcessPoolExecutor(jobs) as executor:
        yield from tqdm(executor.map(play, tasks), total=len(tasks), unit="person", desc="simulating")


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout."""
    for line in lines:
        sys.stdout.write(f"{line.rstrip()}\n")
