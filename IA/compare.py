"""Compare networks on the answers of a run: python -m IA.compare RUN [NETWORK...].

Every network embeds the answered images, the head learns from four fifths of the answers and is judged on the last
fifth, five times. What counts is the table: which network tells the two answers apart best, and what it costs. The
run is only read, and may go on meanwhile; then images/s says less.

The answers are those that this run asked for. Under the strategy max_prob they are the images that its own network
thought most probable, the hardest ones for just that network: a small lead of another one may come from this alone.

As in a run, the head works on centred principal components. Here they come from the answered images, whose labels
they do not see, instead of from the whole pool, which each network would have to embed first.
"""

import argparse
import contextlib
import csv
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from config import Parser, UsageError
from IA.duplicates.deduplicated import Deduplicated
from IA.embedding.embedder import Embedder
from IA.learning.head import FOLDS, cross_fitted_scores, validation
from IA.learning.projection import Projection
from IA.process.loop import one_sentence
from IA.protocol.answers import read_asked
from IA.protocol.files import SETTINGS
from IA.protocol.pickle_file import read
from IA.protocol.replacement import check_writable
from IA.text.cells import harmless

NICENESS = 10  # a suite at work on the same machine goes first
WARM_UP = 8  # images a network embeds before its time is taken
RESAMPLES = 200
FIGURES = ("accuracy", "average_precision", "loss")


@dataclass(frozen=True)
class LabelledImages:
    """What there is to compare on.

    Attributes:
        datadir: the image folder.
        paths: of the images answered positive or negative, relative to it, in the order answered.
        labels: (n,) bool, True for positive.
        network: the backbone of the run.
        classes: what positive and negative are called.
    """

    datadir: Path
    paths: list[str]
    labels: Tensor
    network: str
    classes: tuple[str, str]


@dataclass(frozen=True)
class Embedded:
    """The answered images as one network sees them.

    Attributes:
        network: its name, as it was asked for.
        vectors: (n, D) float32; NaN where an image could not be read.
        images_per_s: speed, from files to embeddings.
        size_mb: of its weights, in 10^6 bytes.
    """

    network: str
    vectors: NDArray[np.float32]
    images_per_s: float
    size_mb: float


@dataclass(frozen=True)
class ComparisonRow:
    """One line of the table; an `error` is the standard error of the figure before it (see `standard_errors`)."""

    network: str
    accuracy: float
    accuracy_error: float
    average_precision: float
    average_precision_error: float
    loss: float
    loss_error: float
    images_per_s: float
    size_mb: float
    dimension: int
    answers: int
    positives: int
    folds: int


# --- reading the run --------------------------------------------------------------------------------------------------


def read_answers(run: Path, datadir: Path | None = None) -> LabelledImages:
    """The answers of a run; skipped images are left out.

    Args:
        run: the run directory.
        datadir: the image folder, where this machine sees it elsewhere than the server.

    Raises:
        UsageError: there is no run, it cannot be read, or its images are not there.
    """
    try:
        settings = read(run, SETTINGS).content
    except FileNotFoundError:
        raise UsageError(f"There is no run in {run}; name a run directory, such as runs/photos.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The run cannot be read: {error}") from None
    try:
        annotations = read_asked(run)
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
        settings.network,
        (settings.positive, settings.negative),
    )


def check_enough(labels: Tensor, folds: int, classes: tuple[str, str]) -> None:
    """Refuse what no fold could be made of.

    Raises:
        UsageError: there are too few answers of one of the classes.
    """
    needed = max(folds, FOLDS)
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if min(positives, negatives) < needed:
        raise UsageError(
            f"{folds} folds need at least {needed} answers of either kind; there are {positives} {classes[0]!r} and "
            f"{negatives} {classes[1]!r}: answer some more."
        )


# --- embedding and judging --------------------------------------------------------------------------------------------


def embed(network: str, answers: LabelledImages, lost: set[str]) -> Embedded:
    """Embed the answered images.

    Args:
        network: its name.
        answers: with the images.
        lost: paths of images that could not be read; those found here are added, each with a warning.

    Raises:
        UsageError: the network cannot be had, or fails on the images.
    """
    with contextlib.redirect_stdout(sys.stderr):  # torch.hub says there what it downloads
        embedder = Embedder(network)
    vectors = np.full((len(answers.paths), embedder.backbone.dimension), np.nan, np.float32)  # (n, D)
    files = [answers.datadir / path for path in answers.paths]
    try:
        for _ in embedder.embed(files[:WARM_UP]):
            pass
        embedded, began = 0, time.perf_counter()
        with tqdm(total=len(files), desc=network, unit="image", file=sys.stderr, leave=False) as progress:
            for batch in embedder.embed(files):
                vectors[batch.places] = batch.vectors
                embedded += len(batch.places)
                for place, reason in batch.failed:
                    path = answers.paths[place]
                    if path not in lost:
                        tqdm.write(f"{path!r} is left out: {reason}", file=sys.stderr)
                    lost.add(path)
                progress.update(len(batch.places) + len(batch.failed))
        elapsed_s = time.perf_counter() - began
    except RuntimeError as error:  # out of memory, or a network of one's own that does not take these images
        first_line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
        raise UsageError(f"{network} fails on the images ({first_line}); it is left out.") from error
    weights = embedder.backbone.module.state_dict().values()
    size_mb = sum(tensor.numel() * tensor.element_size() for tensor in weights) / 1e6
    return Embedded(network, vectors, embedded / elapsed_s, size_mb)


def judge(embedded: Embedded, labels: Tensor, folds: int) -> ComparisonRow:
    """How well a head on this network tells the answers apart.

    Args:
        embedded: (n, D) vectors without NaN.
        labels: (n,) bool.
        folds: how many heads are fitted, each judged on answers that it has not seen.
    """
    vectors = torch.from_numpy(embedded.vectors)
    projected = Projection.from_vectors(vectors).project(vectors)  # (n, K)
    scores = cross_fitted_scores(projected, labels, folds)  # (n,)
    figures, errors = validation(scores, labels), standard_errors(scores, labels)
    return ComparisonRow(
        network=embedded.network,
        accuracy=figures["accuracy"],
        accuracy_error=errors["accuracy"],
        average_precision=figures["average_precision"],
        average_precision_error=errors["average_precision"],
        loss=figures["loss"],
        loss_error=errors["loss"],
        images_per_s=embedded.images_per_s,
        size_mb=embedded.size_mb,
        dimension=vectors.shape[1],
        answers=len(labels),
        positives=int(labels.sum()),
        folds=folds,
    )


def standard_errors(scores: Tensor, labels: Tensor, resamples: int = RESAMPLES) -> dict[str, float]:
    """How far the figures of `validation` would move with other answers of the same kind (bootstrap: Efron 1979).

    The heads stay as they are, so the chance in their fitting is not counted.

    Args:
        scores: (n,) float32, from `cross_fitted_scores`.
        labels: (n,) bool; as many of either class are drawn as there are.
        resamples: how often.

    Returns:
        The standard error of each of `FIGURES`; the same for the same input.
    """
    random = torch.Generator().manual_seed(0)
    classes = [labels.nonzero()[:, 0], (~labels).nonzero()[:, 0]]
    drawn = []
    with _one_thread():
        for _ in range(resamples):
            places = torch.cat([own[torch.randint(len(own), (len(own),), generator=random)] for own in classes])  # (n,)
            drawn.append(validation(scores[places], labels[places]))
    return {name: float(np.std([figures[name] for figures in drawn], ddof=1)) for name in FIGURES}


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors as small as these are computed ten times as fast on a busy machine where threads need not meet."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def compare(answers: LabelledImages, networks: Sequence[str], folds: int = FOLDS) -> list[ComparisonRow]:
    """Judge each network on the same images: those that every network could read.

    A network that cannot be had is one sentence on stderr, and the others go on.

    Args:
        answers: what to learn and to judge on.
        networks: names; each is tried once.
        folds: how many heads are fitted for each.

    Returns:
        A row for each network that could be had, the highest average precision first.

    Raises:
        UsageError: there are too few answers of a class.
    """
    check_enough(answers.labels, folds, answers.classes)
    lost: set[str] = set()
    seen: list[Embedded] = []
    for network in dict.fromkeys(networks):
        try:
            seen.append(embed(network, answers, lost))
        except UsageError as error:
            sys.stderr.write(f"{error}\n")
    kept = np.array([path not in lost for path in answers.paths])
    labels = answers.labels[torch.from_numpy(kept)]
    if seen:
        check_enough(labels, folds, answers.classes)
    rows = [
        judge(Embedded(one.network, one.vectors[kept], one.images_per_s, one.size_mb), labels, folds) for one in seen
    ]
    return sorted(rows, key=lambda row: (-row.average_precision, row.loss))


# --- answering --------------------------------------------------------------------------------------------------------


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
    """The rows with all their digits, under a line of names."""
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
    """Answer on standard output, with progress and warnings on standard error."""
    given = _arguments()
    answers = read_answers(given.run, given.datadir)
    os.nice(NICENESS)
    rows = compare(answers, given.networks or [answers.network], given.folds)
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
