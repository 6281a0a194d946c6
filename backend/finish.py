"""Lets the model label unanswered images: python -m backend.finish RUN [--threshold T] [--dry-run] [--anyway] [--undo].

Every image that nobody has answered gets the label of the model, apart from people's answers. Only answers to random
images tell how right the labels would be; without them it stores nothing, except with --anyway.
"""

import argparse
import contextlib
import os
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from backend.questions.audit import Audit
from backend.questions.doubtful import Doubtful
from backend.questions.finishing import UnreviewedImages
from backend.questions.queue import Queue
from backend.runs.alone import alone
from backend.runs.checks import check_version
from backend.store import table as answers
from backend.store.database import NotDurableError, to_read
from backend.store.labels import Labels
from backend.store.model_labels import Finish, ModelLabels, NoFinishError
from backend.store.schema import DATABASE, VERSION, version_of
from backend.store.table import Label
from backend.wire.figures import Interval
from backend.wire.finish import DoubtfulBand, FinishFigures
from config import UsageError
from IA.duplicates.groups import ImageState, divided
from IA.images.tiles import photo_of
from IA.process.loop import one_sentence
from IA.protocol.files import DUPLICATES, IMAGES, PREDICTIONS, SETTINGS
from IA.protocol.pickle_file import read
from IA.protocol.records import Predictions, Settings
from IA.text.words import counted

USAGE = "python -m backend.finish RUN [--threshold T] [--dry-run] [--anyway] [--undo]"
STORED = "Stored apart from the answers; exports have them with the source model, --undo takes them away.\n"
DESCRIPTION = """
Lets the model label every image that nobody has answered; people's answers stay as they are. Only answers to random
images tell how right the labels would be; without them it stores nothing, except with --anyway.
"""


def report(figures: FinishFigures, doubtful: DoubtfulBand, settings: Settings) -> Iterator[str]:
    """Yield the lines that tell a person what the model would label, and how reliable that is."""
    positive, negative = settings.positive, settings.negative
    threshold, checkpoint = figures["threshold"], figures["checkpoint"]
    thing = "tile" if settings.tile else "image"
    becoming = counted(figures["positive"], f"{thing} becomes", f"{thing}s become")
    yield f"{becoming} {positive}, {counted(figures['negative'], 'becomes', 'become')} {negative}"
    yield f"  by checkpoint {checkpoint}: {positive} from a probability of {threshold:.3g} on"
    if figures["unscored"]:
        yield counted(
            figures["unscored"],
            f"{thing} gets no label: the model has not scored it yet",
            f"{thing}s get no label: the model has not scored them yet",
        )
    precision, recall = figures["precision"], figures["recall"]
    if not figures["drawn"]:
        yield f"Nobody can tell how right that is: no {thing} was drawn at random yet"
    else:
        if not figures["positive_known"]:
            yield _unknown(figures, positive)
        elif precision:
            right = f"{precision['right']} of {counted(precision['of'], 'drawn at random was', 'drawn at random were')}"
            yield f"Of those that become {positive}, {_percentages(precision)} are right (95 % interval; {right})"
        if recall:
            yield f"The model and you together would find {_percentages(recall)} of all {positive} (95 % interval)"
    between = f"a probability of {doubtful['low']:.3g} to {doubtful['high']:.3g}"
    yield f"{counted(doubtful['images'], 'of them is', 'of them are')} doubtful, with {between}"


def _unknown(figures: FinishFigures, positive: str) -> str:
    """The sentence that too few random answers show how right the positive labels would be."""
    count, drawn = figures["positive"], figures["drawn_positive"]
    labels = f"this {positive} label is" if count == 1 else f"these {count:,} {positive} labels are"
    few = f"only {counted(drawn, 'random answer is', 'random answers are')}" if drawn else "no random answer is"
    return f"Nobody knows how right {labels}: {few} about what the model would call {positive}"


def _percentages(interval: Interval) -> str:
    return f"{100 * interval['low']:.0f} to {100 * interval['high']:.0f} %"


def finish(run: Path, threshold: float | None = None, dry_run: bool = False, anyway: bool = False) -> None:
    """Report the labels that the model would give to unanswered images, and store them unless it is a dry run.

    Args:
        run: the run directory.
        threshold: the lowest probability of a positive image; None: the checkpoint's own threshold.
        dry_run: only report.
        anyway: store the labels even if too few random answers show how right they are.

    Raises:
        UsageError: the folder is no run, the run has no model or is in use, or there are too few random answers.
            Nothing is stored then.
    """
    check_version(run)
    with contextlib.nullcontext() if dry_run else alone(run, "finish"):
        paths, settings, predictions = _files(run)
        unreviewed = _unreviewed(run, paths, settings, predictions, *_answers(run))
        with contextlib.nullcontext() if dry_run else _labels(run) as labels:
            threshold = unreviewed.usual_threshold if threshold is None else threshold
            doubtful = unreviewed.doubtful(Doubtful.around(threshold))
            for line in report(unreviewed.figures(threshold), doubtful, settings):
                sys.stdout.write(f"{line}\n")
            lacks = unreviewed.lacks()
            if labels is not None and lacks is not None and not anyway:
                raise UsageError(f"{lacks}; the page asks them (E, Answer at random), or give --anyway.")
            if labels is None:
                sys.stdout.write(_without_dry_run(None if anyway else unreviewed.needs()))
                return
            decided = Finish(str(uuid.uuid4()), "finish", threshold, unreviewed.checkpoint)
            _store(labels, decided, unreviewed, paths)
    sys.stdout.write(STORED)


def _without_dry_run(needs: str | None) -> str:
    """A sentence on what the same command would do without --dry-run; `needs` says why it would be refused."""
    if needs is None:
        return "Nothing was stored. Without --dry-run the labels would be stored.\n"
    return f"Nothing was stored. Without --dry-run it would be refused: {needs} (--anyway stores all the same).\n"


def undo(run: Path) -> None:
    """Take the model's labels away. Raises UsageError: there are none, or the run is in use."""
    check_version(run)
    _files(run)
    with alone(run, "undo"), _labels(run) as labels:
        try:
            gone = labels.undo()
        except NoFinishError:
            raise UsageError(f"There are no labels of the model in {run}.") from None
        except NotDurableError as error:
            raise UsageError(f"That could not be stored in {run / DATABASE}: {error}.") from None
        labels.wait()
    taken = counted(gone.positives + gone.negatives, "label of the model is", "labels of the model are")
    sys.stdout.write(f"{taken} taken away.\n")


def _store(labels: ModelLabels, decided: Finish, unreviewed: UnreviewedImages, paths: list[str]) -> None:
    try:
        labels.write(decided, unreviewed.images, unreviewed.probability, paths.__getitem__)
        labels.wait()
    except NotDurableError as error:
        raise UsageError(f"The labels could not be stored: {error}; none of them counts.") from None
    if labels.trouble:
        raise UsageError(labels.trouble)


@contextlib.contextmanager
def _labels(run: Path) -> Iterator[ModelLabels]:
    labels = Labels(run)
    try:
        with contextlib.closing(ModelLabels(labels.database)) as model_labels:
            yield model_labels
    finally:
        labels.close()


def _files(run: Path) -> tuple[list[str], Settings, Predictions]:
    """The paths, settings and predictions that the loops have published. Raises UsageError."""
    try:
        paths, settings = read(run, IMAGES).content, read(run, SETTINGS).content
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run that was ever started ({error}); start on it first.") from None
    try:
        predictions = read(run, PREDICTIONS).content
    except (OSError, ValueError):
        predictions = None
    if predictions is None or predictions.checkpoint is None:
        raise UsageError(f"There is no model in {run} yet; answer more, and let it score the images.")
    return paths, settings, predictions


def _answers(run: Path) -> tuple[dict[str, Label], set[str], set[str]]:
    """The label of each path, the paths sampled at random, and the split ones; writes nothing. Raises UsageError."""
    file = run / DATABASE
    if version_of(file) < VERSION:
        raise UsageError(f"{file} was written by an earlier version of this program; start on the run once.")
    try:
        with contextlib.closing(to_read(file)) as connection:
            connection.execute("BEGIN")
            return answers.labels_in_order(connection), set(answers.marks(connection)[0]), answers.splits(connection)
    except sqlite3.Error as error:
        raise UsageError(f"The answers in {file} cannot be read ({error}).") from None


def _unreviewed(
    run: Path,
    paths: list[str],
    settings: Settings,
    predictions: Predictions,
    labels: dict[str, Label],
    sampled: set[str],
    split: set[str],
) -> UnreviewedImages:
    """The images without an answer, counted as the server counts them."""
    folder, queue = settings.datadir, Queue()
    if not os.path.isdir(folder):  # noqa: PTH112 - as below
        raise UsageError(f"The images were in {folder}, and that is away; finish when it is back.")
    for image, path in enumerate(paths):
        photo = photo_of(path)
        queue.mark(image, ImageState.GONE, not os.path.isfile(f"{folder}/{photo}"))  # noqa: PTH113 - a million of them
        if path in labels:
            queue.answer(image, labels[path], path in sampled)
    for image in predictions.unreadable:
        if image < len(paths):
            queue.mark(image, ImageState.UNREADABLE, True)
    if settings.alike != "off":
        with contextlib.suppress(OSError, ValueError):
            first = read(run, DUPLICATES).content.first
            queue.group(divided(first, len(paths), [image for image, path in enumerate(paths) if path in split]))
    return UnreviewedImages(Audit(queue.counted(), settings), predictions)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m backend.finish", usage=USAGE, description=DESCRIPTION)
    parser.add_argument("run", type=Path, help="the run directory")
    parser.add_argument("--threshold", type=float, help="least probability of a positive (default: the model's own)")
    parser.add_argument("--dry-run", action="store_true", help="store nothing, only tell; works during a session, too")
    parser.add_argument("--anyway", action="store_true", help="store the labels without enough random answers")
    parser.add_argument("--undo", action="store_true", help="take the model's labels away")
    given = parser.parse_args()
    run: Path = given.run.expanduser().resolve()
    if given.threshold is not None and not 0 <= given.threshold <= 1:
        raise UsageError(f"A threshold is a probability from 0 to 1; {given.threshold} is none.")
    if given.undo and (given.dry_run or given.anyway or given.threshold is not None):
        raise UsageError(f"--undo takes no other option: {USAGE}.")
    if given.undo:
        undo(run)
        return
    finish(run, given.threshold, given.dry_run, given.anyway)


if __name__ == "__main__":
    one_sentence(main)
