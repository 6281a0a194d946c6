"""How well each of several networks tells the answers of a run apart, and what it costs.

Every network embeds the answered images, and a head learns from four fifths of the answers and is judged on the last
fifth, five times. As in a run, the head works on centred principal components. Here they come from the answered
images, whose labels they do not see, instead of from the whole pool, which each network would have to embed first.
"""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from config import UsageError
from IA.embedding.embedder import Embedder
from IA.learning.head import FOLDS, cross_fitted_scores, validation
from IA.learning.projection import Projection

WARM_UP = 8  # images a network embeds before its time is taken
RESAMPLES = 200
FIGURES = ("accuracy", "average_precision", "loss")


@dataclass(frozen=True)
class LabelledImages:
    """The images to compare networks on.

    Attributes:
        datadir: the image folder.
        paths: the images answered positive or negative, relative to `datadir`, in the order answered.
        labels: (n,) bool, True for positive.
        networks: the backbones of the run, as they were named.
        classes: what positive and negative are called.
    """

    datadir: Path
    paths: list[str]
    labels: Tensor
    networks: Sequence[str]
    classes: tuple[str, str]


@dataclass(frozen=True)
class Embedded:
    """The answered images as one network sees them.

    Attributes:
        network: its name, as the person gave it.
        vectors: (n, D) float32; NaN where an image could not be read.
        images_per_s: the speed from files to embeddings.
        size_mb: the size of its weights in 10^6 bytes.
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


def check_enough(labels: Tensor, folds: int, classes: tuple[str, str]) -> None:
    """Refuse answers that are too few to be divided into folds.

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


def embed(network: str, answers: LabelledImages, lost: set[str]) -> Embedded:
    """Embed the answered images.

    Args:
        network: its name.
        answers: the images to embed.
        lost: paths of images that could not be read; this adds those that it finds, each with a warning.

    Raises:
        UsageError: the network cannot be loaded, or fails on the images.
    """
    with contextlib.redirect_stdout(sys.stderr):  # torch.hub reports its downloads on standard output
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
    except RuntimeError as error:  # memory is out, or a person's own network does not take these images
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
        folds: how many heads are fitted; each is judged on answers that it has not seen.
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

    The heads stay as they are, so these errors leave out the chance in fitting them.

    Args:
        scores: (n,) float32, from `cross_fitted_scores`.
        labels: (n,) bool; each resample has as many answers of either class.
        resamples: how many resamples to take.

    Returns:
        The standard error of each of `FIGURES`; the same for the same input.
    """
    random = torch.Generator().manual_seed(0)
    classes = [labels.nonzero()[:, 0], (~labels).nonzero()[:, 0]]
    resampled = []
    with _one_thread():
        for _ in range(resamples):
            places = torch.cat([own[torch.randint(len(own), (len(own),), generator=random)] for own in classes])  # (n,)
            resampled.append(validation(scores[places], labels[places]))
    return {name: float(np.std([figures[name] for figures in resampled], ddof=1)) for name in FIGURES}


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: on a busy machine that is ten times as fast for tensors as small as these."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def compare(answers: LabelledImages, networks: Sequence[str], folds: int = FOLDS) -> list[ComparisonRow]:
    """Judge each network on the same images, which are those that all networks could read.

    A network that cannot be loaded causes one sentence on stderr, and the others go on.

    Args:
        answers: what to learn and to judge on.
        networks: names; each is tried once.
        folds: how many heads are fitted for each.

    Returns:
        A row for each network that could be loaded, the highest average precision first.

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
