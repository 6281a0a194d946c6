"""Label a folder of images with a predictor: python -m IA.predict predictor.ckpt FOLDER > predictions.csv.

| ends with | when                                                                                |
|-----------|-------------------------------------------------------------------------------------|
| 0         | there is a row for every image, also for unreadable ones                            |
| 1         | the disk is full, or cannot be read or written; the rows so far are in the file     |
| 2         | the command line has a mistake; nothing was changed                                 |
| 130       | a person pressed Ctrl-C; the rows so far are in the file                            |

With `--out` the same command continues where it stopped. A predictor that has learnt tiles cuts up every photo as in
its run; with `--roll-up` a row is about a whole photo.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from config import UsageError
from IA.images.pictures import is_inside
from IA.images.tiles import Grid
from IA.model import Predictor
from IA.predictions.class_folders import ClassFolders
from IA.predictions.files import PredictionFile, RowStream
from IA.predictions.rows import Rows
from IA.process.loop import one_sentence
from IA.text.answer_words import UNREADABLE
from IA.text.arguments import MOST_TILES
from IA.text.image_files import IMAGE_SUFFIXES, is_left_out
from IA.text.words import counted

USAGE = "python -m IA.predict predictor.ckpt FOLDER > predictions.csv"
ANOTHER = 0.01  # probabilities of the same image on two machines differ by less than this
STOPPED, INTERRUPTED = 1, 130  # exit codes
NO_TILES = "none"


def image_paths(folder: Path) -> list[str]:
    """Paths of all images in a folder and its sub-folders, relative and sorted, without names that `is_left_out`."""
    return sorted(_walk(folder))


def _walk(folder: Path) -> Iterator[str]:
    prefixes = [""]
    while prefixes:
        prefix = prefixes.pop()
        try:
            with os.scandir(folder / prefix) as entries:
                for entry in entries:
                    if is_left_out(entry.name):
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
    """Labels one folder by one predictor; rows that an earlier process has written are not made again."""

    def __init__(
        self, predictor: Predictor, folder: Path, rows: Rows, out: PredictionFile | RowStream, into: ClassFolders | None
    ) -> None:
        self._predictor, self._folder, self._rows, self._out, self._into = predictor, folder, rows, out, into
        self.unreadable = self.undone = 0
        self.was_done = False

    def check(self) -> None:
        """Predict again the images of earlier rows that were least sure, and compare.

        Raises:
            UsageError: another predictor has begun the file, or the images have changed.
        """
        if self._out.grids - {self._rows.grid}:
            raise UsageError("The file was begun with another grid of tiles; name another file with --out.")
        classes = {*self._predictor.checkpoint.classes.values(), UNREADABLE}
        doubtful = [row for row in self._out.doubtful if is_inside(self._folder / row.image, None)]
        again = self._predictor.predict([self._folder / row.image for row in doubtful])
        moved = [abs(now - row.probability) > ANOTHER for now, row in zip(again, doubtful, strict=True)]
        if any(moved) or not classes.issuperset(self._out.labels.values()):
            raise UsageError(
                "The file was begun with another predictor, or other images; name another file with --out."
            )

    def run(self, photos: Sequence[str]) -> None:
        """Label the images batch by batch; the rows of a batch are written when its images are in their folders."""
        known = self._out.labels
        to_do, in_all = self._rows.images(photos, known), self._rows.count(photos)
        self._place((photo, known[photo]) for photo in photos if photo in known)
        self.was_done = not to_do
        if self.was_done:
            return
        unit = "image" if self._rows.grid is None else "tile"
        with tqdm(total=in_all, initial=in_all - len(to_do), unit=unit, file=sys.stderr) as progress:
            self._predict(to_do, progress)

    def _predict(self, paths: Sequence[str], progress: "tqdm[NoReturn]") -> None:
        files = (self._folder / path for path in paths)
        waiting = iter(paths)
        for probabilities, unreadable in self._predictor.predictions(files, images=len(paths)):
            reasons = {paths[place]: reason for place, reason in unreadable}
            some = islice(waiting, len(probabilities))
            predicted = [(path, value, reasons.get(path, "")) for path, value in zip(some, probabilities, strict=True)]
            rows = list(self._rows.take(predicted))
            for row in rows:
                if row.label == UNREADABLE:
                    tqdm.write(f"{row.path!r} is left out: {row.reason}", file=sys.stderr)
                    self.unreadable += 1
            self._place((row.path, row.label) for row in rows)
            self._out.write(rows)
            progress.update(len(probabilities))

    def _place(self, labels: Iterable[tuple[str, str]]) -> None:
        if self._into is None:
            return
        for path, label in labels:
            if label != UNREADABLE and (reason := self._into.put(path, label)) is not None:
                tqdm.write(f"{path!r} is not put in a folder: {reason}.", file=sys.stderr)
                self.undone += 1

    def sum_up(self, photos: int) -> None:
        """Report on standard error what a person should look at."""
        one = "image" if self._rows.grid is None else "photo"
        left = [f"{self.unreadable:,} unreadable"] if self.unreadable else []
        left += [f"{self.undone:,} not put in a folder"] if self.undone else []
        if left:
            sys.stderr.write(f"{counted(photos, one, f'{one}s')}, {' and '.join(left)}: see above.\n")
        if self.was_done:
            done = counted(photos, f"{one} was", f"{one}s were")
            sys.stderr.write(f"{'The' if photos == 1 else 'All'} {done} done already.\n")
        if self._into is not None:
            there = counted(self._into.there, "was there", "were there")
            sys.stderr.write(f"{self._into.placed:,} put into folders, {there}.\n")


class _PredictParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"Name a predictor and a folder ({message}): {USAGE}")


def _grid(text: str) -> str:
    grid = Grid.from_text(text)
    if text != NO_TILES and (grid is None or not 2 <= len(grid) <= MOST_TILES):
        raise argparse.ArgumentTypeError(f"{text!r} is no grid of 2 to {MOST_TILES} tiles, such as 6x4, nor {NO_TILES}")
    return text


def _arguments() -> argparse.Namespace:
    parser = _PredictParser(prog="python -m IA.predict", description="Label a folder of images.", allow_abbrev=False)
    parser.add_argument("checkpoint", metavar="predictor.ckpt", type=Path)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="of images, with its sub-folders")
    parser.add_argument("--out", metavar="FILE", type=Path, help="a .csv or .jsonl file; one with rows is continued")
    parser.add_argument(
        "--tile",
        metavar="6x4",
        type=_grid,
        help=f"cut each photo into columns x rows (as the predictor learnt it); {NO_TILES}: ask about whole photos",
    )
    parser.add_argument("--roll-up", action="store_true", help="one row a photo: as probable as its most probable tile")
    parser.add_argument("--to-folders", metavar="DIR", type=Path, help="also put each image into DIR/<its class>/")
    parser.add_argument("--link", choices=("copy", "hard", "symbolic"), help="how it is put there (copy)")
    given = parser.parse_args()
    if not given.folder.is_dir():
        raise UsageError(f"There is no folder {given.folder}; name a folder of images.")
    if given.link is not None and given.to_folders is None:
        raise UsageError("--link says how images are put into folders; name some with --to-folders.")
    return given


def main() -> None:
    """Write the rows to standard output or a file, and progress and warnings to standard error."""
    given = _arguments()
    try:
        _label(given)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The rows so far are kept; with --out the same command continues.\n")
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
    checkpoint = predictor.checkpoint
    rows = Rows(checkpoint, _chosen(given, checkpoint.tile), given.roll_up)
    into = given.to_folders and ClassFolders(
        given.folder, given.to_folders, checkpoint.classes.values(), given.link or "copy"
    )
    out = RowStream(sys.stdout.buffer, rows.columns) if given.out is None else PredictionFile(given.out, rows.columns)
    labelling = Labelling(predictor, given.folder, rows, out, into)
    try:
        labelling.check()
        if into:
            into.make()
        labelling.run(paths)
    finally:
        out.close()
    labelling.sum_up(len(paths))


def _chosen(given: argparse.Namespace, learnt: str) -> Grid | None:
    """The grid that cuts up the photos: the one on the command line, else the one of the predictor."""
    grid = Grid.from_text(learnt if given.tile is None else given.tile)
    if grid is None and given.roll_up:
        raise UsageError(
            "--roll-up is for tiles, and photos are asked about whole; say with --tile how to cut them up."
        )
    if grid is not None and given.to_folders is not None and not given.roll_up:
        raise UsageError("A tile is no file to be put into a folder; add --roll-up, or --tile none.")
    return grid


if __name__ == "__main__":
    one_sentence(main)
