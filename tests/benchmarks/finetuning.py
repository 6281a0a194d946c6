"""What fine-tuning is worth: simulated answers, and images that were never asked, before and after.

    python -m tests.benchmarks.finetuning PHOTOS --positive hat dress --answers 500

A fifth of the images of each class folder is never asked; the head learns all answers, with either backbone.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from config import DEFAULT_NETWORK, ROOT
from IA.embedding.embedder import Embedder, leave_room
from IA.finetuning.training import DividedAnswers, fine_tune
from IA.learning.head import Head, average_precision
from IA.learning.projection import Projection
from IA.simulate.person import simulate
from IA.simulate.sorted_photos import draw, embed

OTHERS = 500


def main() -> None:
    """Answer, fine-tune, print a line for each class."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds a folder of images for each class")
    parser.add_argument("--positive", nargs="+", required=True, metavar="CLASS")
    parser.add_argument("--answers", type=int, default=500)
    parser.add_argument("--cores", type=int, default=1)
    given = parser.parse_args()
    leave_room(given.cores)
    folder = given.folder.resolve()
    vectors, files = embed(folder, DEFAULT_NETWORK, ROOT / "runs" / f"simulate-{folder.name}")
    classes = np.array([file.relative_to(folder).parts[0] for file in files])
    old = Embedder(DEFAULT_NETWORK, given.cores)
    sys.stdout.write("class        positives asked  answers held out   certainty  images never asked   minutes\n")
    for positive in given.positive:
        truth = classes == positive
        pool, unseen = draw(truth, None, seed=0)
        course = simulate(torch.from_numpy(vectors[pool]), truth[pool], given.answers)
        asked = pool[course.images]
        random = np.random.default_rng(0)
        others = [files[number] for number in random.permutation(pool)[:OTHERS]]
        answers = DividedAnswers.from_answers([files[number] for number in asked], np.array(course.labels), random)
        began = time.perf_counter()
        outcome = fine_tune(old, answers, others, lambda *epoch: None)
        better = outcome.promotion
        minutes = (time.perf_counter() - began) / 60
        never = [files[number] for number in unseen]
        before, after = (
            average_precision(_scores(embedder, answers, never, others), torch.from_numpy(truth[unseen]))
            for embedder in (old, outcome.embedder)
        )
        found = f"{sum(course.labels)} of {truth[pool].sum()}"
        sys.stdout.write(
            f"{positive:12} {found:15}  {better.before:.3f} -> {better.after:.3f}    {better.certainty:9.2f}  "
            f"{before:.3f} -> {after:.3f}     {minutes:8.1f}\n"
        )
        sys.stdout.flush()


def _scores(embedder: Embedder, answers: DividedAnswers, files: Sequence[Path], others: Sequence[Path]) -> torch.Tensor:
    """Scores (n,) of files by a head that learnt all answers."""
    space = Projection.from_vectors(embedder.vectors(others))
    head = Head.fit(space.project(embedder.vectors(answers.files)), torch.from_numpy(answers.labels), space)
    return head.scores(space.project(embedder.vectors(files)))


if __name__ == "__main__":
    main()
