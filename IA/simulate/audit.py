"""Simulates people with an audit: how often its intervals hold, when the certificate comes, and what both cost.

    python -m IA.simulate.audit PHOTOS --runs 200 --audit 0.02
    python -m IA.simulate.audit --worst-case

PHOTOS holds a folder of images for each class, and each class is the positive one in turn. After 50 negatives in a row
a person turns to random questions until the certificate is given.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from config import DEFAULT_AUDIT, UsageError
from IA.learning.projection import Projection
from IA.process.loop import one_sentence
from IA.simulate.audit_person import AuditedPerson, Truth
from IA.simulate.command import checked_folder, count, play_all, share, shared_parser, sorted_photos, write_lines
from IA.simulate.person import Course, figures
from IA.simulate.sorted_photos import draw
from IA.simulate.stopping import chance_of_a_wrong_certificate, negatives_in_a_row, quantile_bound, quasi_sampling
from IA.statistics.audit import RECALL, ScreeningState, looks

PREVALENCES = (0.01, 0.05, 0.1, 0.3)
LOOK_AT = (100, 200, 400)  # The intervals are checked after these numbers of answers.
ANSWERS = 400  # The price of the audit is measured over this many answers.
PATIENCE = 50
CERTIFICATE = "certificate"
ONE_LOOK = "certificate, as if looked for once"
IN_A_ROW = f"{PATIENCE} negatives in a row"
QUASI = "ranked quasi-sampling"
QUANTILE = "QBCB"
WORST_FOUND = (5, 20, 60, 100, 200, 500, 1000, 5000, 20_000)
WORST_REST = (300, 3000, 30_000, 300_000)
WORST_LEFT = (1.0, 1.02, 1.05, 1.08, 1.1, 1.15, 1.2, 1.5)  # Positives left, in multiples of those that may be left.


@dataclass(frozen=True)
class StoppedAt:
    """How many answers a rule stopped after, and how many positives were found by then."""

    answers: int
    found: int


@dataclass(frozen=True)
class Held:
    """Whether an interval held the truth, and how wide it was."""

    interval: str
    after: int
    held: bool
    width: float


@dataclass(frozen=True)
class AuditedRun:
    """The outcome of one person.

    Attributes:
        prevalence: share of positives that was asked for.
        images: how many the pool has.
        positives: how many the pool has.
        held: the intervals that were checked.
        stops: by the name of the rule.
        nauc: area under the curve of positives found, without an audit and with it.
    """

    prevalence: float
    images: int
    positives: int
    held: list[Held]
    stops: dict[str, StoppedAt]
    nauc: tuple[float, float]


def play(
    task: tuple[float, str, int], vectors: NDArray[np.float32], classes: NDArray[np.str_], share: float
) -> AuditedRun:
    """Simulate one person: with the audit until the certificate, with the model alone, and with both to the end.

    Args:
        task: prevalence, positive class, seed.
        vectors: (N, D) embeddings of all images.
        classes: (N,) of all images.
        share: of the questions that are drawn at random.
    """
    torch.set_num_threads(1)
    prevalence, positive, seed = task
    pool, _ = draw(classes == positive, prevalence, seed)
    inside, truth = torch.from_numpy(vectors[pool]), classes[pool] == positive
    space = Projection.from_vectors(inside)
    held, stops = _until_certain(AuditedPerson(space, inside, truth, seed, share, PATIENCE, validates=True), truth)
    alone = AuditedPerson(space, inside, truth, seed, share=0.0)
    while sum(alone.labels) < truth.sum() or len(alone.labels) < min(ANSWERS, len(truth)):
        alone.answer()
    audited = AuditedPerson(space, inside, truth, seed, share)
    for _ in range(min(ANSWERS, len(truth))):
        audited.answer()
    stops |= _peers(alone, truth, seed)
    nauc = _nauc(alone, truth), _nauc(audited, truth)
    return AuditedRun(prevalence, len(truth), int(truth.sum()), held, stops, nauc)


def _until_certain(person: AuditedPerson, truth: Truth) -> tuple[list[Held], dict[str, StoppedAt]]:
    held: list[Held] = []
    stops: dict[str, StoppedAt] = {}
    while person.left and (CERTIFICATE not in stops or len(person.images) < max(LOOK_AT)):
        person.answer()
        if len(person.images) in LOOK_AT:
            held += _held(person, truth)
        for name, certifies in {ONE_LOOK: ScreeningState.certifies_once, CERTIFICATE: ScreeningState.certifies}.items():
            if name not in stops and certifies(person.standing):
                stops[name] = StoppedAt(len(person.images), person.standing.known)
    return held, stops


def _held(person: AuditedPerson, truth: Truth) -> list[Held]:
    """Check the intervals of the number of positives, and of the quality of the model's labels for the other images."""
    after, (division, right, missed) = len(person.images), person.divided()
    low, high = (bound / len(truth) for bound in person.standing.positives())
    held = [_one("prevalence, positives", after, (low, high), truth.mean())]
    if precision := division.precision():
        held.append(_one("model: precision", after, precision, right / division.above.images))
    if recall := division.recall():
        all_right = division.found + right
        held.append(_one("model: recall", after, recall, all_right / (all_right + missed)))
    return held


def _one(interval: str, after: int, bounds: tuple[float, float], truth: float) -> Held:
    rounding = 1e-9
    return Held(interval, after, bounds[0] - rounding <= truth <= bounds[1] + rounding, bounds[1] - bounds[0])


def _peers(alone: AuditedPerson, truth: Truth, seed: int) -> dict[str, StoppedAt]:
    """Where other rules stop with the same model and no audit; after its last positive all answers are negative."""
    labels = alone.labels + [False] * alone.left
    shuffled = np.random.default_rng(seed).permutation(len(truth)).tolist()
    found = np.cumsum(labels)
    stops = {IN_A_ROW: negatives_in_a_row(labels, PATIENCE), QUASI: quasi_sampling(labels)}
    return {name: StoppedAt(answers, int(found[answers - 1])) for name, answers in stops.items()} | {
        QUANTILE: StoppedAt(*quantile_bound(alone.images, truth, shuffled))
    }


def _nauc(person: AuditedPerson, truth: Truth) -> float:
    images, labels = person.images[:ANSWERS], person.labels[:ANSWERS]
    course = Course(images, labels, [math.nan] * len(images))
    return figures(course, int(truth.sum()), len(truth))["nAUC"]


# --- what is printed --------------------------------------------------------------------------------------------------


def tables(runs: Sequence[AuditedRun], share: float) -> Iterator[str]:
    """The lines of all tables: intervals, stopping rules, price."""
    prevalences = list(dict.fromkeys(run.prevalence for run in runs))
    yield from _intervals(runs, prevalences)
    yield ""
    yield from _rules(runs, prevalences)
    yield ""
    yield from _price(runs, prevalences, share)


def _intervals(runs: Sequence[AuditedRun], prevalences: Sequence[float]) -> Iterator[str]:
    yield f"95 % intervals that held the truth, {len(runs)} runs; in brackets how many were looked at, and mean width"
    yield _line("", "answers", *(f"{prevalence:.0%}" for prevalence in prevalences), "all")
    for name in dict.fromkeys(held.interval for run in runs for held in run.held):
        for after in (*LOOK_AT, None):
            cells = []
            for prevalence in (*prevalences, None):
                here = [
                    held
                    for run in runs
                    for held in run.held
                    if prevalence in (None, run.prevalence) and held.interval == name and after in (None, held.after)
                ]
                cells.append(_coverage(here))
            yield _line(name, "all" if after is None else str(after), *cells)


def _coverage(held: Sequence[Held]) -> str:
    if not held:
        return "-"
    share, width = np.mean([one.held for one in held]), np.mean([one.width for one in held])
    return f"{100 * share:.1f} % ({len(held)}, {width:.2f})"


def _rules(runs: Sequence[AuditedRun], prevalences: Sequence[float]) -> Iterator[str]:
    yield f"stopping for {RECALL:.0%} of the positives: work saved beside looking at all; lowest and mean recall; wrong"
    yield _line("", "", *(f"{prevalence:.0%}" for prevalence in prevalences), "all")
    for name in (CERTIFICATE, ONE_LOOK, QUASI, QUANTILE, IN_A_ROW):
        some = [[run for run in runs if prevalence in (None, run.prevalence)] for prevalence in (*prevalences, None)]
        yield _line(name, "saved", *(_saved(here, name) for here in some))
        yield _line("", "recall", *(_recall(here, name) for here in some))
        yield _line("", "wrong", *(_wrong(here, name) for here in some))


def _saved(runs: Sequence[AuditedRun], name: str) -> str:
    return f"{100 * np.mean([1 - run.stops[name].answers / run.images for run in runs]):.0f} %"


def _recall(runs: Sequence[AuditedRun], name: str) -> str:
    recalls = [run.stops[name].found / run.positives for run in runs]
    return f"{min(recalls):.2f} {np.mean(recalls):.3f}"


def _wrong(runs: Sequence[AuditedRun], name: str) -> str:
    wrong = sum(run.stops[name].found < RECALL * run.positives for run in runs)
    return f"{wrong} of {len(runs)}"


def _price(runs: Sequence[AuditedRun], prevalences: Sequence[float], share: float) -> Iterator[str]:
    yield f"price of the audit: nAUC over {ANSWERS} answers"
    yield _line("", "", *(f"{prevalence:.0%}" for prevalence in prevalences), "all")
    some = [
        np.array([run.nauc for run in runs if prevalence in (None, run.prevalence)])  # (n, 2)
        for prevalence in (*prevalences, None)
    ]
    yield _line("without", "", *(f"{nauc[:, 0].mean():.3f}" for nauc in some))
    yield _line(f"with {share:.1%}", "", *(f"{nauc[:, 1].mean():.3f}" for nauc in some))
    yield _line("difference, ± its error", "", *(_difference(nauc[:, 1] - nauc[:, 0]) for nauc in some))


def _difference(differences: NDArray[np.float64]) -> str:
    error = differences.std(ddof=1) / math.sqrt(len(differences)) if len(differences) > 1 else math.nan
    return f"{differences.mean():+.3f} ± {error:.3f}"


def worst_case() -> Iterator[str]:
    """The exact chance that a certificate comes too early if all questions are drawn at random from now on."""
    yield "chance of a wrong certificate, looked for after every random answer, at the worst number of positives left"
    yield _line("found", "rest", "as if looked for once", "as it is", "each look errs less by")
    for found in WORST_FOUND:
        may_be_left = math.floor(found / RECALL) - found
        for images in WORST_REST:
            if may_be_left >= images:
                continue
            left = {min(images, math.ceil(factor * may_be_left) + 1) for factor in WORST_LEFT}
            chances = [
                max(chance_of_a_wrong_certificate(found, images, each, certifies) for each in left)
                for certifies in (ScreeningState.certifies_once, ScreeningState.certifies)
            ]
            shown = [f"{100 * chance:.1f} %" for chance in chances]
            yield _line(str(found), str(images), *shown, f"{looks(found):.2f}")


def _line(name: str, second: str, *cells: str) -> str:
    return f"{name:36}{second:>8}" + "".join(f"{cell:>22}" for cell in cells)


def main() -> None:
    """Simulate and print."""
    given = _parser().parse_args()
    if given.folder is None and not given.worst_case:
        raise UsageError("Name a folder that holds a folder of images for each class, or give --worst-case.")
    folder = None if given.folder is None else checked_folder(given)
    if given.worst_case:
        write_lines(worst_case())
    if folder is None:
        return
    photos = sorted_photos(folder, given)
    names = photos.class_names
    seeds = range(math.ceil(given.runs / len(given.prevalence)))
    tasks = [(prevalence, names[seed % len(names)], seed) for seed in seeds for prevalence in given.prevalence]
    playing = partial(play, vectors=photos.vectors, classes=photos.classes, share=given.audit)
    runs = list(play_all(playing, tasks[: given.runs], given.jobs))
    write_lines(tables(runs, given.audit))


def _parser() -> argparse.ArgumentParser:
    parser = shared_parser(__doc__, is_folder_needed=False)
    parser.add_argument("--runs", type=count, default=200, metavar="N", help="simulated people in all (200)")
    parser.add_argument(
        "--audit", type=share, default=DEFAULT_AUDIT, metavar="SHARE", help=f"of questions at random ({DEFAULT_AUDIT})"
    )
    parser.add_argument(
        "--prevalence", nargs="+", type=share, default=PREVALENCES, metavar="P", help="in turn (0.01 0.05 0.1 0.3)"
    )
    parser.add_argument("--worst-case", action="store_true", help="how often a certificate is wrong at worst; exact")
    return parser


if __name__ == "__main__":
    one_sentence(main)
