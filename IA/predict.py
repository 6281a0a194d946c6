"""Label a folder of images with a predictor: python -m IA.predict predictor.ckpt FOLDER > predictions.csv."""

import csv
import io
import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from config import IMAGE_SUFFIXES, UsageError
from IA.loop import one_sentence
from IA.model import Predictor

USAGE = "python -m IA.predict predictor.ckpt FOLDER > predictions.csv"
COLUMNS = ("path", "probability", "label")
UNREADABLE = "unreadable"


def image_paths(folder: Path) -> list[str]:
    """Paths of all images below, relative to the folder and sorted; hidden names are left out."""
    return sorted(_walk(folder, ""))


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    try:
        with os.scandir(folder / prefix) as entries:
            inside = [entry for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        sys.stderr.write(f"{str(folder / prefix)!r} is left out: {error.strerror}.\n")
        return
    for entry in inside:
        path = f"{prefix}{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(folder, f"{path}/")
        elif Path(entry.name).suffix.lower() in IMAGE_SUFFIXES and _is_file(entry):
            yield path


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # a circle of links
        return False


def write_predictions(predictor: Predictor, folder: Path, paths: list[str], output: io.TextIOBase) -> None:
    """Write one row for each image, in the order given, as soon as it is known."""
    said = predictor.checkpoint
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    with tqdm(total=len(paths), unit="image", file=sys.stderr) as progress:
        rows = iter(paths)
        for probabilities, unreadable in predictor.predictions([folder / path for path in paths]):
            for number, reason in unreadable:
                tqdm.write(f"{paths[number]!r} is left out: {reason}", file=sys.stderr)
            for probability, path in zip(probabilities, rows, strict=False):
                if math.isnan(probability):
                    writer.writerow((path, "", UNREADABLE))
                else:
                    label = said.classes["positive" if probability >= said.threshold else "negative"]
                    writer.writerow((path, f"{probability:.6f}", label))
            progress.update(len(probabilities))
            output.flush()


def _arguments() -> tuple[Predictor, Path, list[str]]:
    if len(sys.argv) != 3:
        raise UsageError(f"Name a predictor and a folder: {USAGE}")
    checkpoint, folder = Path(sys.argv[1]), Path(sys.argv[2])
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}; name a folder of images.")
    paths = image_paths(folder)
    if not paths:
        raise UsageError(f"There are no images in {folder}; it may be another folder.")
    try:
        return Predictor.load(checkpoint), folder, paths
    except (OSError, ValueError) as error:
        raise UsageError(f"{error}") from None


def main() -> None:
    """Answer on standard output, with progress and warnings on standard error."""
    predictor, folder, paths = _arguments()
    # a name that is no UTF-8 must go out as it came in
    output = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        write_predictions(predictor, folder, paths, output)
        output.detach()
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    one_sentence(main)
