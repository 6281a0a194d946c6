"""Simulates people who answer truthfully about a folder of photos that are sorted into class folders.

    python -m IA.simulate PHOTOS --positive hat dress --prevalence 0.01 0.1 --answers 400 --seeds 5 --peers

Each seed samples another pool of that prevalence, holds out another fifth of the images, which is never asked, and
begins with another image. Figures are means over classes and seeds, with standard errors.
"""

import argparse
import csv
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from config import DEFAULT_STRATEGY, UsageError, pip_install
from IA.learning.calibration import expected_calibration_error
from IA.process.loop import one_sentence
from IA.protocol.replacement import check_writable
from IA.simulate import peers
from IA.simulate.command import checked_folder, count, play_all, share, shared_parser, sorted_photos
from IA.simulate.person import Course, figures, simulate
from IA.simulate.sorted_photos import draw
from IA.simulate.two_networks import simulate_two
from IA.strategies import STRATEGIES
from IA.text.cells import harmless

OURS = "Intelligent Annotation"
PEER_PACKAGES = ("asreview", "modAL", "skactiveml")
POOLED = "ECE of all"
KEYS_S = (0.9, 0.6)  # Seconds that a person takes for a positive and for a negative answer, by key.
AUTO_S = (0.9, 0.33)  # The same in AUTO at 3 images a second, where only positives need a key.
TAKES_OVER = "second network"  # After how many answers it takes over.
WITHOUT_ERROR = frozenset({"first", "to 95 %", TAKES_OVER})  # These figures are medians.


@dataclass(frozen=True)
class Task:
    """One simulated person.

    Attributes:
        method: `OURS`, or one of `peers.PEERS`.
        positive: the class folder that is positive.
        prevalence: share of positives in the pool; None: as in the folder.
        seed: of every random choice.
        answers: how many at most.
        strategy: of our engine.
        examples: how many of the held-out positives the engine begins with.
    """

    method: str
    positive: str
    prevalence: float | None
    seed: int
    answers: int
    strategy: str
    examples: int = 0


@dataclass(frozen=True)
class Result:
    """The outcome of a task.

    Attributes:
        task: the simulated person.
        figures: by name.
        found: (n,) how many positives were found after each answer.
        shown: (n,) probability of positive when each image was asked.
        labels: (n,) whether each image was positive.
    """

    task: Task
    figures: dict[str, float]
    found: NDArray[np.int64]
    shown: NDArray[np.float32]
    labels: NDArray[np.bool_]


def play(
    task: Task,
    vectors: NDArray[np.float32],
    classes: NDArray[np.str_],
    second: NDArray[np.float32] | None = None,
) -> Result:
    """Simulate one person, with a second network behind the first if there are embeddings by one."""
    torch.set_num_threads(1)
    truth = classes == task.positive
    pool, held_out = draw(truth, task.prevalence, task.seed)
    examples = held_out[truth[held_out]][: task.examples]
    held_out = held_out[~np.isin(held_out, examples)]
    taken = {}
    if task.method == OURS and second is not None:
        course, after = simulate_two(
            torch.from_numpy(vectors[pool]),
            torch.from_numpy(second[pool]),
            truth[pool],
            task.answers,
            task.strategy,
            task.seed,
            (torch.from_numpy(vectors[held_out]), torch.from_numpy(second[held_out])),
            (torch.from_numpy(vectors[examples]), torch.from_numpy(second[examples])) if task.examples else None,
        )
        results = figures(course, int(truth[pool].sum()), len(pool), truth[held_out])
        taken = {TAKES_OVER: after}
    elif task.method == OURS:
        course = simulate(
            torch.from_numpy(vectors[pool]),
            truth[pool],
            task.answers,
            task.strategy,
            task.seed,
            torch.from_numpy(vectors[held_out]),
            torch.from_numpy(vectors[examples]) if task.examples else None,
        )
        results = figures(course, int(truth[pool].sum()), len(pool), truth[held_out])
    else:
        asked = list(peers.course(task.method, vectors[pool], truth[pool], task.answers, task.seed))
        course = Course(asked, truth[pool][asked].tolist(), [math.nan] * len(asked))
        results = figures(course, int(truth[pool].sum()), len(pool))
    found = np.cumsum(course.labels)
    results = {"images": len(pool), "positives": float(truth[pool].sum())} | results | taken
    for name, (positive_s, negative_s) in {"keys": KEYS_S, "AUTO": AUTO_S}.items():
        minutes = (found[-1] * positive_s + (len(found) - found[-1]) * negative_s) / 60
        results[f"per minute, {name}"] = float(found[-1] / minutes)
    return Result(task, results, found, np.array(course.shown, np.float32), np.array(course.labels))


# --- what is printed --------------------------------------------------------------------------------------------------


def table(results: Sequence[Result]) -> Iterator[str]:
    """The lines of one table: a column for each method, a row for each figure."""
    methods = list(dict.fromkeys(result.task.method for result in results))
    rows = list(results[0].figures)
    width = max(len(name) for name in [*rows, POOLED])
    columns = [max(len(method), 15) for method in methods]
    yield " " * width + "".join(f"  {method:>{size}}" for method, size in zip(methods, columns, strict=True))
    for name in rows:
        cells = [
            _cell(name, [r.figures.get(name, math.nan) for r in results if r.task.method == method])
            for method in methods
        ]
        yield f"{name:{width}}" + "".join(f"  {cell:>{size}}" for cell, size in zip(cells, columns, strict=True))
    cells = [_pooled_error([result for result in results if result.task.method == method]) for method in methods]
    yield f"{POOLED:{width}}" + "".join(f"  {cell:>{size}}" for cell, size in zip(cells, columns, strict=True))


def _pooled_error(results: Sequence[Result]) -> str:
    """Calibration error over all people together; the error of a single person is mostly noise."""
    shown = np.concatenate([result.shown for result in results])
    labels = np.concatenate([result.labels for result in results])
    known = ~np.isnan(shown)
    if not known.any():
        return "-"
    error = expected_calibration_error(torch.from_numpy(shown[known]), torch.from_numpy(labels[known]))
    return f"{error:.3f}"


def _cell(name: str, values: Sequence[float]) -> str:
    """Mean and standard error, or the median if the figure can be infinite; NaN is left out."""
    if name in WITHOUT_ERROR and not all(map(math.isnan, values)):
        median = float(np.median(values))
        return f"median {median:.0f}" if math.isfinite(median) else "not reached"
    there = np.array([value for value in values if not math.isnan(value)])
    if not len(there):
        return "-"
    places = 1 if abs(there.mean()) >= 2 else 3
    error = f" ± {there.std(ddof=1) / math.sqrt(len(there)):.{places}f}" if len(there) > 1 else ""
    return f"{there.mean():.{places}f}{error}"


def written(path: Path, results: Iterable[Result]) -> Iterator[Result]:
    """Write each result to a CSV file as it comes, one row for each simulated person, and pass it on."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        for number, result in enumerate(results):
            task = result.task
            if not number:
                writer.writerow(["method", "positive", "prevalence", "seed", "strategy", *result.figures])
            person = task.method, harmless(task.positive), task.prevalence, task.seed, task.strategy
            writer.writerow([*person, *result.figures.values()])
            file.flush()
            yield result


def draw_curves(path: Path, results: Sequence[Result]) -> None:
    """Plot the mean recall over the answers, a panel for each prevalence."""
    from matplotlib.figure import Figure

    prevalences = list(dict.fromkeys(result.task.prevalence for result in results))
    figure = Figure(figsize=(5 * len(prevalences), 4), layout="constrained")
    panels = figure.subplots(1, len(prevalences), squeeze=False)[0]
    for panel, prevalence in zip(panels, prevalences, strict=True):
        here = [result for result in results if result.task.prevalence == prevalence]
        for method in dict.fromkeys(result.task.method for result in here):
            curves = [_recall(result) for result in here if result.task.method == method]
            length = min(len(curve) for curve in curves)
            panel.plot(np.mean([curve[:length] for curve in curves], axis=0), label=method)
        panel.set(xlabel="answers", ylabel="recall", title=_heading(prevalence), ylim=(0, 1))
        panel.legend()
    figure.savefig(path)


def _recall(result: Result) -> NDArray[np.float64]:
    return np.concatenate([[0.0], result.found / result.figures["positives"]])


def _heading(prevalence: float | None) -> str:
    return "as the folder is" if prevalence is None else f"{prevalence:.1%} positives"


def main() -> None:
    """Simulate and print."""
    given = _parser().parse_args()
    wanted = [] if given.positive == ["all"] else given.positive
    folder = checked_folder(given, wanted)
    methods = [OURS, *_peers(given.peers)]
    check_writable(*filter(None, (given.csv, given.plot)))
    _check_installed(given.peers is not None, given.plot is not None)
    photos = sorted_photos(folder, given)
    positives = wanted or photos.class_names
    if empty := sorted(set(positives) - set(photos.class_names)):
        raise UsageError(f"The class folder {empty[0]!r} in {folder} has no image that can be read.")
    tasks = [
        Task(method, positive, prevalence, seed, given.answers, given.strategy, given.examples)
        for prevalence in given.prevalence or [None]
        for method in methods
        for positive in positives
        for seed in range(given.seeds)
    ]
    with_photos = partial(play, vectors=photos.vectors, classes=photos.classes, second=photos.second)
    played = play_all(with_photos, tasks, given.jobs)
    results = list(written(given.csv, played) if given.csv else played)
    for prevalence in dict.fromkeys(task.prevalence for task in tasks):
        here = [result for result in results if result.task.prevalence == prevalence]
        heading = f"{_heading(prevalence)}, {len(positives)} classes, {given.seeds} seeds, {given.answers} answers"
        sys.stdout.write("\n".join([heading, *table(here), "", ""]))
    if given.plot:
        draw_curves(given.plot, results)


def _check_installed(peers: bool, plot: bool) -> None:
    """Raise UsageError, before the work begins, if a package is missing that its end needs."""
    if peers and (missing := [name for name in PEER_PACKAGES if find_spec(name) is None]):
        raise UsageError(f"The peers are not installed (no {missing[0]}): {pip_install('peers')}.")
    if plot and find_spec("matplotlib") is None:
        raise UsageError(f"The plot needs matplotlib: {pip_install('simulate')}, or leave out --plot.")


def _peers(wanted: Sequence[str] | None) -> Sequence[str]:
    """The names of the peers to play: none without --peers, all of them if --peers names none."""
    if unknown := sorted(set(wanted or ()) - set(peers.PEERS)):
        raise UsageError(f"There is no peer {unknown[0]!r}; choose of {', '.join(peers.PEERS)}.")
    return () if wanted is None else wanted or list(peers.PEERS)


def _parser() -> argparse.ArgumentParser:
    parser = shared_parser(__doc__)
    parser.add_argument(
        "--positive", nargs="+", default=["all"], metavar="CLASS", help="one task each; all: every class"
    )
    parser.add_argument(
        "--prevalence", nargs="+", type=share, metavar="P", help="share of positives (as the folder is)"
    )
    parser.add_argument("--answers", type=count, default=400)
    parser.add_argument("--seeds", type=count, default=5, metavar="N", help="simulated people for each task (5)")
    parser.add_argument("--strategy", choices=STRATEGIES, default=DEFAULT_STRATEGY)
    parser.add_argument(
        "--examples", type=count, default=0, metavar="N", help="of the positives held out, to begin with (0)"
    )
    parser.add_argument(
        "--peers", nargs="*", metavar="NAME", help="other libraries, or some, on the same embeddings: '.[peers]'"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the figures of each simulated person")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the recall curves: '.[simulate]'")
    return parser


if __name__ == "__main__":
    one_sentence(main)
