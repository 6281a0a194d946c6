"""Simulates people who err now and then: how many of their errors are among the first answers reviewed.

    python -m IA.simulate.slips PHOTOS --noise 0.03 --answers 1000 --runs 20

PHOTOS holds a folder of images for each class, and each class is the positive one in turn; the most probable images are
asked first. A random share of the answers is wrong. The orders with "haste" also use how long an answer took.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from IA import ranking
from IA.learning.head import Head, average_precision, cross_fitted_scores
from IA.learning.learner import Learner, as_probabilities
from IA.learning.projection import Projection
from IA.pool.view import ProjectedPool
from IA.process.loop import one_sentence
from IA.ranking import Known
from IA.simulate.command import checked_folder, count, play_all, share, shared_parser, sorted_photos, write_lines
from IA.simulate.sorted_photos import draw
from IA.statistics.label_errors import WORTH, Pace, error_score

Truth = NDArray[np.bool_]

PREVALENCES = (0.04, 0.1, 0.3)
FIRST = (50, 100, 200)  # Errors are counted among this many of the first answers reviewed.
REVIEWED = 100  # The model learns again after this many answers are reviewed.
REFIT = 0.03  # The model learns after 3 % more answers; after each answer would take ten times as long.
USUAL_S = 0.8  # The median time of an answer; times are log-normal.
SPREAD = 0.5  # The standard deviation of the logarithm of the time.
HASTY = (1.0, 0.7)  # A wrong answer takes this share of the time of a right one; with 1.0 there is no haste.


@dataclass(frozen=True)
class ErringPerson:
    """The answers of one person.

    Attributes:
        images: (n,) numbers of the images answered, in order.
        shown: (n,) probability of positive when each was asked; 0.5 before there was a model.
    """

    images: NDArray[np.int64]
    shown: NDArray[np.float32]


@dataclass(frozen=True)
class ErringRun:
    """The outcome of one person.

    Attributes:
        prevalence: share of positives that was asked for.
        answers: how many were given.
        errors: how many of them were wrong.
        found: how many errors are among the first answers, by the order of the review.
        worth: how many answers are suspected errors worth a look, and how many of these are wrong.
        precision: average precision on held-out images: as answered, with the first 100 put right, with all.
    """

    prevalence: float
    answers: int
    errors: int
    found: dict[str, list[int]]
    worth: tuple[int, int]
    precision: tuple[float, float, float]


def play(
    task: tuple[float, str, int], vectors: NDArray[np.float32], classes: NDArray[np.str_], noise: float, answers: int
) -> ErringRun:
    """Simulate one person and the review of the answers.

    Args:
        task: prevalence, positive class, seed.
        vectors: (N, D) embeddings of all images.
        classes: (N,) of all images.
        noise: share of the answers that are wrong.
        answers: how many are given at most.
    """
    torch.set_num_threads(1)
    prevalence, positive, seed = task
    pool, held_out = draw(classes == positive, prevalence, seed)
    random = np.random.default_rng([seed, 1])
    truth = classes[pool] == positive
    is_wrong = random.random(len(pool)) < noise
    inside = torch.from_numpy(vectors[pool])
    space = Projection.from_vectors(inside)
    person = answered(space, inside, truth ^ is_wrong, answers, seed)
    given, wrong = (truth ^ is_wrong)[person.images], is_wrong[person.images]
    projected = space.project(inside[person.images])
    orders = dict(orders_of(projected, given, person.shown, wrong, random))
    first = {name: np.argsort(-order, kind="stable") for name, order in orders.items()}
    plain = orders[_held_out(None)]
    unseen, is_positive = torch.from_numpy(vectors[held_out]), torch.from_numpy(classes[held_out] == positive)

    def precision(labels: Truth) -> float:
        head = Head.fit(projected, torch.from_numpy(labels), space)
        return average_precision(head(unseen), is_positive)

    reviewed = np.isin(np.arange(len(given)), first[_held_out(None)][:REVIEWED])
    return ErringRun(
        prevalence,
        len(given),
        int(wrong.sum()),
        {name: [int(wrong[places[:most]].sum()) for most in FIRST] for name, places in first.items()},
        (int((plain >= WORTH).sum()), int(wrong[plain >= WORTH].sum())),
        (precision(given), precision(given ^ (wrong & reviewed)), precision(given ^ wrong)),
    )


def answered(space: Projection, vectors: Tensor, given: Truth, answers: int, seed: int) -> ErringPerson:
    """The answers of one person; the most probable images are asked first.

    Args:
        space: of the pool.
        vectors: (N, D) float32, embeddings of the pool.
        given: (N,) bool, the answer to each image.
        answers: how many at most.
        seed: of the shuffle that breaks ties.
    """
    view = ProjectedPool.from_vectors(space, vectors)
    learner: Learner[int] = Learner(lambda names: vectors[list(names)], validates=False)
    probability = np.full(len(vectors), np.nan, np.float32)
    asked = np.zeros(len(vectors), bool)
    images: list[int] = []
    shown: list[float] = []
    learnt = -1
    order: Iterator[int] = iter(())
    while len(images) < min(answers, len(vectors)):
        if len(images) - learnt > (REFIT * learnt if learner.head else 0):
            learnt = len(images)
            view.answer(set(images))
            if learner.learn({image: bool(given[image]) for image in images}, space) and learner.head:
                probability = view.probability(learner.head)
            known = Known(probability, view.novelty, labels={image: bool(given[image]) for image in images})
            order = iter(ranking.order(known, "max_prob", seed, asked).tolist())
        image = next(order)
        images.append(image)
        shown.append(float(probability[image]))
        asked[image] = True
    return ErringPerson(np.array(images), np.nan_to_num(np.array(shown, np.float32), nan=0.5))


def orders_of(
    projected: Tensor, given: Truth, shown: NDArray[np.float32], wrong: Truth, random: np.random.Generator
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The orders of a review.

    Args:
        projected: (n, K) float32, the answered images.
        given: (n,) bool, the answers.
        shown: (n,) probability of positive when each was asked.
        wrong: (n,) bool, whether each answer is wrong.
        random: of the random order and of the times.

    Yields:
        The name of each order, and a score (n,); the answer with the highest score is reviewed first.
    """
    labels = torch.from_numpy(given)
    held_out = as_probabilities(cross_fitted_scores(projected, labels), labels).nan_to_num(0.5).tolist()
    yield "random", random.random(len(given))
    yield "newest first", np.arange(float(len(given)))
    yield "probability when asked", np.where(given, 1 - shown, shown).astype(np.float64)
    answers = list(zip(held_out, given.tolist(), strict=True))
    yield _held_out(None), np.array([error_score(predicted, is_positive) for predicted, is_positive in answers])
    for hasty in HASTY:
        times = USUAL_S * np.exp(SPREAD * random.standard_normal(len(given))) * np.where(wrong, hasty, 1.0)
        paces = {label: Pace(times[given == label].tolist()) for label in (True, False)}
        yield (
            _held_out(hasty),
            np.array(
                [
                    error_score(predicted, is_positive, paces[is_positive].haste(time))
                    for (predicted, is_positive), time in zip(answers, times.tolist(), strict=True)
                ]
            ),
        )


def _held_out(hasty: float | None) -> str:
    return "held out" if hasty is None else f"held out, haste; a slip takes {hasty:.0%} of the time"


def tables(runs: Sequence[ErringRun], prevalences: Sequence[float]) -> Iterator[str]:
    """The lines that are printed."""
    some = [[run for run in runs if run.prevalence == prevalence] for prevalence in prevalences]
    few = ", ".join(map(str, FIRST))
    yield f"share of the slips among the first {few} answers reviewed, {len(runs)} people"
    yield _line("", *(f"{prevalence:.0%} positive" for prevalence in prevalences))
    for name in runs[0].found:
        yield _line(name, *(_found(here, name) for here in some))
    yield _line(
        "slips / answers", *(f"{_mean(r.errors for r in here)} / {_mean(r.answers for r in here)}" for here in some)
    )
    yield _line("worth a look", *(_mean(run.worth[0] for run in here) for here in some))
    yield _line("slips among these", *(_mean(run.worth[1] for run in here) for here in some))
    yield f"average precision on images held out; with the first {REVIEWED} reviewed put right, with all"
    names = ("as answered", f"first {REVIEWED} put right", "all put right")
    for place, name in enumerate(names):
        yield _line(name, *(f"{np.mean([run.precision[place] for run in here]):.3f}" for here in some))


def _found(runs: Sequence[ErringRun], name: str) -> str:
    errors = sum(run.errors for run in runs)
    shares = (sum(run.found[name][place] for run in runs) / max(errors, 1) for place in range(len(FIRST)))
    return " ".join(f"{100 * share:3.0f}" for share in shares) + " %"


def _mean(values: Iterator[int]) -> str:
    return f"{np.mean(list(values)):.1f}"


def _line(name: str, *cells: str) -> str:
    return f"{name:48}" + "".join(f"{cell:>18}" for cell in cells)


def main() -> None:
    """Simulate and print."""
    given = _parser().parse_args()
    folder = checked_folder(given, [given.positive] if given.positive else [])
    photos = sorted_photos(folder, given)
    names = [given.positive] if given.positive else photos.class_names
    tasks = [
        (prevalence, names[seed % len(names)], seed) for seed in range(given.runs) for prevalence in given.prevalence
    ]
    playing = partial(play, vectors=photos.vectors, classes=photos.classes, noise=given.noise, answers=given.answers)
    runs = list(play_all(playing, tasks, given.jobs))
    write_lines(tables(runs, given.prevalence))


def _parser() -> argparse.ArgumentParser:
    parser = shared_parser(__doc__)
    parser.add_argument("--noise", type=share, default=0.03, metavar="SHARE", help="of answers that are wrong (0.03)")
    parser.add_argument("--answers", type=count, default=1000, metavar="N", help="at most, of each person (1000)")
    parser.add_argument("--runs", type=count, default=20, metavar="N", help="people at each prevalence (20)")
    parser.add_argument("--prevalence", nargs="+", type=share, default=PREVALENCES, metavar="P", help="(0.04 0.1 0.3)")
    parser.add_argument("--positive", metavar="CLASS", help="the class that everybody looks for (each class in turn)")
    return parser


if __name__ == "__main__":
    one_sentence(main)
