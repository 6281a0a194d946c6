"""Fine-tunes the backbone of a run on its answers, once; the trainer starts it when it is due.

python -m IA.finetuning --run RUN
"""

import logging
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np

from config import COMMAND, UsageError
from IA.duplicates.once import read_once
from IA.embedding.embedder import Embedder, leave_room
from IA.embedding.engine import usable_cores
from IA.finetuning.checkpoint import NAME, Tuned, only_writer
from IA.finetuning.training import DividedAnswers, FineTuned, fine_tune
from IA.images.pictures import is_inside
from IA.learning.events import Events
from IA.process.loop import log_to, loop_config, one_sentence
from IA.protocol.answers import read_learnable
from IA.protocol.files import BACKBONE, FINE_TUNING, IMAGES, SETTINGS
from IA.protocol.pickle_file import publish, read
from IA.protocol.records import FineTuning

log = logging.getLogger(__name__)

NICE = 19  # only what nobody else wants
OTHERS = 500  # images of the pool that describe the spaces
SEED = 0


def run_once(run: Path, datadir: Path | None = None) -> FineTuning:
    """Fine-tune on the answers of a run, and publish the new backbone if it is better.

    Args:
        run: the run directory.
        datadir: the images, where this machine sees them elsewhere.

    Returns:
        What came of it.

    Raises:
        OSError, ValueError: files of the run are missing or damaged, or there are too few answers of one kind.
    """
    settings, answers = read(run, SETTINGS).content, read_learnable(run)
    folder = datadir or Path(settings.datadir)
    inside = settings.bounds(folder)
    labels = {path: label for path, label in answers.items() if label is not None and is_inside(folder / path, inside)}
    once = read_once(run, settings)
    labels = once.learnt(labels)
    paths, truth = list(labels), np.array(list(labels.values()), bool)
    random = np.random.default_rng(SEED)
    pool = random.permutation(np.array(read(run, IMAGES).content, dtype=object))[:OTHERS]
    others = [folder / path for path in pool if is_inside(folder / path, inside)]
    dealt = DividedAnswers.dealt([folder / path for path in paths], truth, random, [once.name(path) for path in paths])
    old = Embedder(settings.network, leave_some())
    events = Events(run / "tensorboard" / NAME)

    def told(epoch: int, loss: float, precision: float) -> None:
        log.info("epoch %d: loss %.3f, average precision %.3f", epoch, loss, precision)
        events.scalar(f"{NAME}/loss", loss, epoch)
        events.scalar(f"{NAME}/average_precision", precision, epoch)

    outcome = fine_tune(old, dealt, others, told, SEED)
    for name, value in {"before": outcome.before, "after": outcome.after}.items():
        events.scalar(f"{NAME}/held_out_{name}", value, len(labels))
    events.close()
    if outcome.is_better:
        learnt = frozenset(paths[place] for place in outcome.learnt)
        Tuned(outcome.embedder.backbone, old.fingerprint, len(labels), learnt).save(run / BACKBONE)
    return _remember(run, old, len(labels), outcome)


def _remember(run: Path, old: Embedder, labels: int, outcome: FineTuned) -> FineTuning:
    told = FineTuning(
        old.fingerprint, labels, outcome.before, outcome.after, outcome.certainty, taken=outcome.is_better
    )
    publish(run, FINE_TUNING, told)
    return told


def leave_some() -> int:
    """How many cores to use: the page and the loops keep one."""
    return max(1, usable_cores() - 1)


def _end_with(parent: int) -> None:
    """Leave as soon as the one who started us has gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main() -> None:
    """Fine-tune once."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    config = loop_config()
    if not (config.run / SETTINGS.name).exists():
        raise UsageError(f"{config.run} is no run directory; name one that {COMMAND} has made.")
    os.nice(NICE)
    leave_room(leave_some())
    with only_writer(config.run) as held:
        if not held:
            raise UsageError(f"{config.run} is being fine-tuned already; wait for that to end.")
        log_to(config.run, NAME)
        began = time.monotonic()
        try:
            told = run_once(config.run, config.datadir)
        except (OSError, ValueError) as error:
            raise UsageError(f"{config.run} cannot be fine-tuned: {str(error).rstrip('.')}.") from error
        log.info(
            "%s: average precision %.3f -> %.3f on answers held out, better in %.0f %% of draws; %d answers, %.0f s",
            "taken" if told.taken else "not taken",
            told.before,
            told.after,
            100 * told.certainty,
            told.labels,
            time.monotonic() - began,
        )


if __name__ == "__main__":
    one_sentence(main)
