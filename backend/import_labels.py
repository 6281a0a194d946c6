"""Takes over labels: python -m backend.import_labels RUN FILE, or RUN --labels-from-folders positive=hat.

FILE is CSV, JSON lines, JSON of Label Studio (JSON_MIN, too) or COCO, an export of a run, or the annotations.pickle of
a run or of the seed of this project. --dry-run stores nothing and only reports. An image that has another answer
keeps it, unless --overwrite is given.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_args

from backend.images.names import displayed
from backend.imports import read_labelled
from backend.imports.folders import class_folders
from backend.imports.labelled import Labelled, Words
from backend.imports.plan import Plan, plan, report
from backend.imports.records import ColumnError
from backend.runs.alone import alone
from backend.runs.checks import check_version
from backend.store.database import NotDurableError
from backend.store.labels import Labels
from backend.store.schema import DATABASE
from backend.store.table import Label
from config import Parser, UsageError
from IA.process.loop import one_sentence
from IA.protocol.files import IMAGES, SETTINGS
from IA.protocol.pickle_file import read

OPTIONS = {"images": "--path-column", "labels": "--label-column"}

Read = Callable[[Sequence[str]], Iterable[Labelled]]
"""What is to be imported, given the images of the run."""


def import_labels(
    run: Path, labelled: Read, words: Words | None = None, dry_run: bool = False, overwrite: bool = False
) -> Plan:
    """Take over labels, all or none, and report on the standard output what becomes of them.

    Args:
        run: the run directory.
        labelled: see `Read`; it may raise ValueError or OSError.
        words: what the words in the file mean; None: the usual words, and the names of the run.
        dry_run: store nothing.
        overwrite: change answers that the run has.

    Raises:
        UsageError: the run is in use, the folder is no run, or the labels cannot be read; nothing is stored then.
    """
    try:
        images, settings = read(run, IMAGES).content, read(run, SETTINGS).content
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run that was ever started ({error}); start on it first.") from None
    names: dict[Label, str] = {"positive": settings.positive, "negative": settings.negative}
    words = words or Words()
    words = Words(names, words.positive, words.negative)
    try:
        given = list(labelled(images))
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except ColumnError as error:
        raise UsageError(f"The labels cannot be read: {error}; say which with {OPTIONS[error.what]}.") from None
    except ValueError as error:
        raise UsageError(f"The labels cannot be read: {displayed(str(error)).rstrip('.')}.") from None
    check_version(run)
    with alone(run, "import"):
        labels = Labels(run)
        try:
            standing = labels.by_path()
            planned = plan(given, words, images, settings.datadir, standing)
            for line in report(planned, standing, overwrite):
                sys.stdout.write(f"{displayed(line)}\n")
            if not dry_run:
                sampled = planned.drawn(labels.is_sampled)
                labels.annotate_all(planned.answers(overwrite), selected=sampled).result()
        except NotDurableError as error:
            raise UsageError(f"The labels could not be stored in {run / DATABASE}: {error}; none was.") from None
        finally:
            labels.close()
    return planned


def _folder(text: str) -> tuple[Label, list[str]]:
    label, _, folders = text.partition("=")
    for known in get_args(Label):
        if label == known and folders:
            return known, folders.split(",")
    raise argparse.ArgumentTypeError(f"{text!r} is not such as positive=hat or negative=coat,shirt")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m backend.import_labels", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", metavar="RUN", type=Path, help="the run directory")
    parser.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a .csv, .tsv, .jsonl, .json or .pickle")
    parser.add_argument(
        "--labels-from-folders",
        metavar="LABEL=FOLDER,...",
        nargs="+",
        type=_folder,
        help="images in these folders below DATADIR, such as positive=hat negative=coat,shirt; negative=*: all others",
    )
    parser.add_argument("--dry-run", action="store_true", help="store nothing, only report")
    parser.add_argument("--overwrite", action="store_true", help="change answers that the run has")
    parser.add_argument("--positive", metavar="WORD", action="append", default=[], help="a class that means positive")
    parser.add_argument(
        "--negative", metavar="WORD", action="append", default=[], help="a class that means negative; '*': all others"
    )
    parser.add_argument("--path-column", metavar="NAME", help="the column that names the image")
    parser.add_argument("--label-column", metavar="NAME", help="the column that names the class")
    return parser


def main() -> None:
    """Import what the command line names."""
    given = _parser().parse_intermixed_args(sys.argv[1:])
    if (given.file is None) == (given.labels_from_folders is None):
        raise UsageError("Name either a file of labels or --labels-from-folders; see --help.")

    def read_all(images: Sequence[str]) -> Iterable[Labelled]:
        if given.file is None:
            return class_folders(images, dict(given.labels_from_folders))
        return read_labelled(given.file.expanduser().resolve(), given.path_column, given.label_column)

    words = Words(positive=given.positive, negative=given.negative)
    import_labels(given.run.expanduser().resolve(), read_all, words, given.dry_run, given.overwrite)
    if given.dry_run:
        sys.stdout.write("Nothing was stored; without --dry-run it is.\n")


if __name__ == "__main__":
    one_sentence(main)
