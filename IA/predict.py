"""Label a folder of images with a predictor: python -m IA.predict predictor.ckpt FOLDER > predictions.csv.

| ends with | when                                                                                |
|-----------|-------------------------------------------------------------------------------------|
| 0         | every image is told of, unreadable ones too                                         |
| 1         | the disk is full, or cannot be read or written; what was said so far is in the file |
| 2         | a mistake on the command line; nothing was changed                                  |
| 130       | Ctrl-C; likewise                                                                    |

The same command goes on where it stopped, with `--out`.
"""

import argparse
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from config import IMAGE_SUFFIXES, UsageError
from IA.class_folders import ClassFolders
from IA.loop import one_sentence
from IA.model import Predictor
from IA.prediction_file import UNREADABLE, PredictionFile, Row, Stream
from IA.words import counted

USAGE = "python -m IA.predict predictor.ckpt FOLDER > predictions.csv"
ANOTHER = 0.01  # of a probability: what another machine says of the same image differs by less
STOPPED, INTERRUPTED = 1, 130  # exit codes


def image_paths(folder: Path) -> list[str]:
    """Paths of all images below, relative to the folder and sorted; hidden names are left out."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[str]:
    prefixes = [""]
    while prefixes:
        prefix = prefixes.pop()
        try:
            with os.scandir(folder / prefix) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        prefixes.append(f"{prefix}{entry.name}/")
                    elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and _is_file(entry):
                        yield f"{prefix}{entry.name}"
        except OSError as error:
            sys.stderr.write(f"{str(folder / prefix)!r} is left out: {error.strerror}.\n")


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # a circle of links
        return False


class Labelling:
    """One folder, one predictor, and where the rows go; rows of an earlier turn are not made again."""

    def __init__(
        self, predictor: Predictor, folder: Path, out: PredictionFile | Stream, into: ClassFolders | None
    ) -> None:
        self._predictor, self._folder, self._out, self._into = predictor, folder, out, into
        self.unreadable = self.undone = 0
        self.was_done = False

    def check(self) -> None:
        """Ask again about the images that were least sure, if there are any.

        Raises:
            UsageError: the file was begun by another predictor, or the images are others now.
        """
        classes = {*self._predictor.checkpoint.classes.values(), UNREADABLE}
        doubtful = [row for row in self._out.doubtful if (self._folder / row.path).is_file()]
        again = self._predictor.predict([self._folder / row.path for row in doubtful])
        moved = [abs(now - row.probability) > ANOTHER for now, row in zip(again, doubtful, strict=True)]
        if any(moved) or not classes.issuperset(self._out.labels.values()):
            raise UsageError(
                "The file was begun with another predictor, or other images; name another file with --out."
            )

    def run(self, paths: Sequence[str]) -> None:
        """Say of each image what it is, batch by batch; a batch is written once its images are in their folders."""
        known = self._out.labels
        to_do = [path for path in paths if path not in known]
        self._place((path, known[path]) for path in paths if path in known)
        self.was_done = not to_do
        if self.was_done:
            return
        with tqdm(total=len(paths), initial=len(paths) - len(to_do), unit="image", file=sys.stderr) as progress:
            self._say(to_do, progress)

    def _say(self, paths: Sequence[str], progress: "tqdm[NoReturn]") -> None:
        files = (self._folder / path for path in paths)
        told = iter(paths)
        for probabilities, unreadable in self._predictor.predictions(files, images=len(paths)):
            reasons = {paths[place]: reason for place, reason in unreadable}
            some = list(islice(told, len(probabilities)))
            rows = [self._row(path, said, reasons) for path, said in zip(some, probabilities, strict=True)]
            for path, reason in reasons.items():
                tqdm.write(f"{path!r} is left out: {reason}", file=sys.stderr)
            self.unreadable += len(reasons)
            self._place((row.path, row.label) for row in rows)
            self._out.write(rows)
            progress.update(len(rows))

    def _row(self, path: str, probability: float, reasons: dict[str, str]) -> Row:
        if math.isnan(probability):
            return Row(path, probability, UNREADABLE, reasons[path])
        said = self._predictor.checkpoint
        return Row(path, probability, said.classes["positive" if probability >= said.threshold else "negative"])

    def _place(self, labels: Iterable[tuple[str, str]]) -> None:
        if self._into is None:
            return
        for path, label in labels:
            if label != UNREADABLE and (reason := self._into.put(path, label)) is not None:
                tqdm.write(f"{path!r} is not put in a folder: {reason}.", file=sys.stderr)
                self.undone += 1

    def sum_up(self, images: int) -> None:
        """Say what there is to look at, on standard error."""
        left = [f"{self.unreadable:,} unreadable"] if self.unreadable else []
        left += [f"{self.undone:,} not put in a folder"] if self.undone else []
        if left:
            sys.stderr.write(f"{counted(images, 'image', 'images')}, {' and '.join(left)}: see above.\n")
        if self.was_done:
            done = counted(images, "image was", "images were")
            sys.stderr.write(f"{'The' if images == 1 else 'All'} {done} done already.\n")
        if self._into is not None:
            there = counted(self._into.there, "was there", "were there")
            sys.stderr.write(f"{self._into.placed:,} put into folders, {there}.\n")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"Name a predictor and a folder ({message}): {USAGE}")


def _arguments() -> argparse.Namespace:
    parser = _Parser(prog="python -m IA.predict", description="Label a folder of images.", allow_abbrev=False)
    parser.add_argument("checkpoint", metavar="predictor.ckpt", type=Path)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="of images, with its sub-folders")
    parser.add_argument("--out", metavar="FILE", type=Path, help="a .csv or .jsonl; one that is begun is gone on with")
    parser.add_argument("--to-folders", metavar="DIR", type=Path, help="also put each image into DIR/<its class>/")
    parser.add_argument("--link", choices=("copy", "hard", "symbolic"), help="how it is put there (copy)")
    given = parser.parse_args()
    if not given.folder.is_dir():
        raise UsageError(f"There is no folder {given.folder}; name a folder of images.")
    if given.link is not None and given.to_folders is None:
        raise UsageError("--link says how images are put into folders; name some with --to-folders.")
    return given


def main() -> None:
    """Answer on standard output or in a file, with progress and warnings on standard error."""
    given = _arguments()
    try:
        _label(given)
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was said so far is kept; with --out the same command goes on.\n")
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:
        sys.stderr.write(f"\nStopped: {error.strerror} ({error.filename or given.out or 'standard output'}).\n")
        raise SystemExit(STOPPED) from None


def _label(given: argparse.Namespace) -> None:
    paths = image_paths(given.folder)
    if not paths:
        raise UsageError(f"There are no images in {given.folder}; it may be another folder.")
    try:
        predictor = Predictor.load(given.checkpoint)
    except (OSError, ValueError) as error:
        raise UsageError(f"{error}") from None
    classes = predictor.checkpoint.classes.values()
    into = given.to_folders and ClassFolders(given.folder, given.to_folders, classes, given.link or "copy")
    out = Stream(sys.stdout.buffer) if given.out is None else PredictionFile(given.out)
    labelling = Labelling(predictor, given.folder, out, into)
    try:
        labelling.check()
        labelling.run(paths)
    finally:
        out.close()
    labelling.sum_up(len(paths))


if __name__ == "__main__":
    one_sentence(main)
