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
from IA.duplicates.deduplicated import Deduplicated
from IA.embedding.embedder import Embedder, leave_room
from IA.embedding.engine import usable_cores
from IA.finetuning.checkpoint import NAME, LatestTuned, Tuned, only_writer
from IA.finetuning.training import DividedAnswers, fine_tune
from IA.images.pictures import is_inside
from IA.learning.events import Events
from IA.networks import build
from IA.process.loop import log_to, loop_config, one_sentence
from IA.protocol.answers import read_learnable
from IA.protocol.files import BACKBONE, FINE_TUNING, IMAGES, SETTINGS
from IA.protocol.pickle_file import publish, read
from IA.protocol.records import FineTuning
from IA.text.network_names import split_networks

log = logging.getLogger(__name__)

NICE = 19  # Fine-tuning gets only the processor time that no other process wants.
OTHERS = 500  # This many images of the pool describe the embedding spaces.
SEED = 0


def run_once(run: Path, datadir: Path | None = None) -> FineTuning:
    """Fine-tune on the answers of a run, and publish the new backbone if it is better.

    Args:
        run: the run directory.
        datadir: the image folder, if this machine sees it under another path than the settings say.

    Returns:
        The content of finetuning.pickle.

    Raises:
        OSError, ValueError: files of the run are missing or damaged, or there are too few answers of one kind.
    """
    settings, answers = read(run, SETTINGS).content, read_learnable(run)
    folder = datadir or Path(settings.datadir)
    inside = settings.bounds(folder)
    labels = {path: label for path, label in answers.items() if label is not None and is_inside(folder / path, inside)}
    deduplicated = Deduplicated.from_run(run, settings)
    labels = deduplicated.learnt(labels)
    paths, truth = list(labels), np.array(list(labels.values()), bool)
    random = np.random.default_rng(SEED)
    pool = random.permutation(np.array(read(run, IMAGES).content, dtype=object))[:OTHERS]
    others = [folder / path for path in pool if is_inside(folder / path, inside)]
    groups = [deduplicated.group_of(path) for path in paths]
    divided = DividedAnswers.from_answers([folder / path for path in paths], truth, random, groups)
    base, old, second = begin_with(run, settings.network)
    events = Events(run / "tensorboard" / NAME)

    def report(epoch: int, loss: float, precision: float) -> None:
        log.info("epoch %d: loss %.3f, average precision %.3f", epoch, loss, precision)
        events.scalar(f"{NAME}/loss", loss, epoch)
        events.scalar(f"{NAME}/average_precision", precision, epoch)

    outcome = fine_tune(old, divided, others, report, SEED)
    for name, value in {"before": outcome.promotion.before, "after": outcome.promotion.after}.items():
        events.scalar(f"{NAME}/held_out_{name}", value, len(labels))
    events.close()
    better = outcome.promotion
    if better.is_better:
        learnt = frozenset(paths[place] for place in outcome.learnt)
        Tuned(outcome.embedder.backbone, base, len(labels), learnt, second).save(run / BACKBONE)
    result = FineTuning(base, len(labels), better.before, better.after, better.certainty, taken=better.is_better)
    publish(run, FINE_TUNING, result)
    return result


def begin_with(run: Path, networks: str) -> tuple[str, Embedder, str]:
    """The network to fine-tune: the second one of the run if it has taken over, else the first.

    Args:
        run: the run directory.
        networks: the setting.

    Returns:
        The fingerprint of the first network; the network to fine-tune; the name of the second one if that is it.

    Raises:
        UsageError: a network cannot be loaded.
    """
    first, second = split_networks(networks)
    network = build(first)
    base = network.fingerprint
    better = LatestTuned(run).tuned_from(base, second)
    if better is None or not better.second:
        return base, Embedder(network, cores_to_use()), ""
    network = build(better.second) if better.learnt else better.backbone
    return base, Embedder(network, cores_to_use()), better.second


def cores_to_use() -> int:
    """How many cores fine-tuning uses: all but one, which it leaves to the page and the loops."""
    return max(1, usable_cores() - 1)


def _end_with(parent: int) -> None:
    """End this process as soon as its parent has ended."""
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
    leave_room(cores_to_use())
    with only_writer(config.run) as held:
        if not held:
            raise UsageError(f"{config.run} is being fine-tuned already; wait for that to end.")
        log_to(config.run, NAME)
        began = time.monotonic()
        try:
            result = run_once(config.run, config.datadir)
        except (OSError, ValueError) as error:
            raise UsageError(f"{config.run} cannot be fine-tuned: {str(error).rstrip('.')}.") from error
        log.info(
            "%s: average precision %.3f -> %.3f on answers held out, better in %.0f %% of draws; %d answers, %.0f s",
            "taken" if result.taken else "not taken",
            result.before,
            result.after,
            100 * result.certainty,
            result.labels,
            time.monotonic() - began,
        )


if __name__ == "__main__":
    one_sentence(main)
