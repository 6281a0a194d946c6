"""Compare networks on the answers of a run: python -m IA.compare RUN [NETWORK...].

The command prints a table: which network tells the two answers apart best, and what it costs (`IA.comparison`). It only
reads the run, which may go on meanwhile; then images/s says less.

The answers are to questions that this run asked. Under the strategy max_prob these are the images that the run's own
network thought most probable, so they are hardest for that network. A small lead of another one may come from this.
"""

import argparse
import csv
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch

from config import Parser, UsageError
from IA.comparison import ComparisonRow, LabelledImages, compare
from IA.duplicates.deduplicated import Deduplicated
from IA.learning.head import FOLDS
from IA.process.loop import one_sentence
from IA.protocol.answers import read_learnable
from IA.protocol.files import SETTINGS
from IA.protocol.pickle_file import read
from IA.protocol.replacement import check_writable
from IA.text.cells import harmless
from IA.text.network_names import named

NICENESS = 10  # a suite that works on the same machine goes first


def read_answers(run: Path, datadir: Path | None = None) -> LabelledImages:
    """The answers of a run without skipped images.

    Args:
        run: the run directory.
        datadir: the image folder, if this machine sees it elsewhere than the server does.

    Raises:
        UsageError: there is no run, the run cannot be read, or its images are not there.
    """
    try:
        settings = read(run, SETTINGS).content
    except FileNotFoundError:
        raise UsageError(f"There is no run in {run}; name a run directory, such as runs/photos.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The run cannot be read: {error}") from None
    try:
        annotations = read_learnable(run)
    except FileNotFoundError:
        annotations = {}
    except (OSError, ValueError) as error:
        raise UsageError(f"The answers cannot be read: {error}") from None
    folder = datadir or Path(settings.datadir)
    if not folder.is_dir():
        raise UsageError(f"The images of this run are not in {folder}; say with --datadir where they are.")
    labels = {path: label for path, label in annotations.items() if label is not None}
    labels = Deduplicated.from_run(run, settings).learnt(labels)
    return LabelledImages(
        folder,
        list(labels),
        torch.tensor(list(labels.values()), dtype=torch.bool),
        named(settings.network),
        (settings.positive, settings.negative),
    )


def table(rows: Sequence[ComparisonRow]) -> str:
    """The rows as aligned text, under a line of headings."""
    lines = [("network", "accuracy", "average precision", "loss", "images/s", "MB", "dimension")]
    lines += [
        (
            row.network,
            f"{row.accuracy:.3f} ± {row.accuracy_error:.3f}",
            f"{row.average_precision:.3f} ± {row.average_precision_error:.3f}",
            f"{row.loss:.3f} ± {row.loss_error:.3f}",
            f"{row.images_per_s:.1f}",
            f"{row.size_mb:.1f}",
            f"{row.dimension}",
        )
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join([cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]) + "\n" for cells in lines
    )


def write_csv(rows: Sequence[ComparisonRow], path: Path) -> None:
    """Write the rows with all their digits, under a line of names."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(ComparisonRow)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) | {"network": harmless(row.network)} for row in rows)


def _folds(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 2 <= int(text[:6]) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of folds, from 2 to 1000")
    return int(text)


def _arguments() -> argparse.Namespace:
    parser = Parser(
        prog="python -m IA.compare",
        usage="%(prog)s RUN [NETWORK...] [--folds N] [--csv FILE] [--datadir DIR]",
        description="Compare networks on the answers of a run: how well each would tell them apart, and its cost.",
        allow_abbrev=False,
    )
    parser.add_argument("run", metavar="RUN", nargs="?", type=Path, help="the run directory; it is only read")
    parser.add_argument("networks", metavar="NETWORK", nargs="*", help="as for --network of launch.sh (the run's own)")
    parser.add_argument(
        "--folds", metavar="N", type=_folds, default=FOLDS, help=f"heads fitted for each network ({FOLDS})"
    )
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the table there too, with all its digits")
    parser.add_argument("--datadir", metavar="DIR", type=Path, help="the images, where they are not where the run says")
    given = parser.parse_intermixed_args(sys.argv[1:])
    if given.run is None:
        raise UsageError("Name a run directory: python -m IA.compare RUN [NETWORK...]")
    if given.csv is not None:
        check_writable(given.csv)
    return given


def main() -> None:
    """Print the table on standard output, and progress and warnings on standard error."""
    given = _arguments()
    answers = read_answers(given.run, given.datadir)
    os.nice(NICENESS)
    rows = compare(answers, given.networks or answers.networks, given.folds)
    if not rows:  # each network has said why
        raise SystemExit(2)
    sys.stderr.write(
        f"{rows[0].answers} answers, {rows[0].positives} of them {answers.classes[0]!r}, in {given.folds} folds; "
        "figures ± standard error.\n"
    )
    sys.stdout.write(table(rows))
    if given.csv is not None:
        try:
            write_csv(rows, given.csv)
        except OSError as error:
            raise UsageError(f"{given.csv} cannot be written ({error.strerror}); name another file.") from None


if __name__ == "__main__":
    one_sentence(main)
