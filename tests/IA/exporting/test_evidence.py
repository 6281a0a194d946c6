"""What the files of a run say about its predictor."""

import random
from pathlib import Path

import numpy as np
import pytest

from backend.questions.audit import Audit
from backend.questions.queue import Queue
from config import UsageError
from IA.duplicates.groups import ImageState
from IA.exporting.evidence import Evidence, evidence
from IA.protocol.fields import NO_FLOATS, NO_INTS
from IA.protocol.files import ANNOTATIONS, AUDIT, DUPLICATES, HELD_OUT, IMAGES, PREDICTIONS, SETTINGS
from IA.protocol.pickle_file import publish, read
from IA.protocol.records import Duplicates, Predictions, Settings
from IA.statistics.draw import shuffled

SETTINGS_OF_RUN = Settings("/photos", "resnet50", "max_prob", "hat", "no hat", "id")
IMAGES_OF_RUN = 300
THRESHOLD = 0.5


def a_run(run: Path, seed: int) -> Queue:
    """A run in which a model asked for some images and others were drawn, and the queue of its server."""
    dice = random.Random(seed)
    paths = [f"{number}.jpg" for number in range(IMAGES_OF_RUN)]
    queue, answers, drawn = Queue(), dict[str, bool | None](), dict[str, bool | None]()
    for number in range(IMAGES_OF_RUN):
        queue.mark(number, ImageState.UNREADABLE, on=number in (3, 4))
    order = shuffled(IMAGES_OF_RUN).tolist()
    asked = dice.sample(range(IMAGES_OF_RUN), 60)
    gap = order[50]  # an answer that was taken back: what was drawn after it is no fair sample
    for number in [*asked, *order[:70]]:
        if paths[number] in answers or number in (3, 4, gap):
            continue
        label = None if number % 17 == 0 else dice.random() < 0.3
        answers[paths[number]] = label
        if number not in asked:
            drawn[paths[number]] = label
        queue.answer(number, "skipped" if label is None else "positive" if label else "negative", number not in asked)
    first = np.arange(IMAGES_OF_RUN, dtype=np.int32)
    for unit in range(20, 120, 10):  # near duplicates, some of them answered in different ways
        first[unit : unit + dice.randrange(1, 5)] = unit
    queue.group(first)
    probability = np.array([dice.random() for _ in paths], np.float32)
    checkpoint = {"generation": 9, "labels": 50, "threshold": THRESHOLD, "metrics": {}}
    novelty = np.zeros(IMAGES_OF_RUN, np.float32)
    unreadable = np.array([3, 4], np.int32)
    publish(run, SETTINGS, SETTINGS_OF_RUN)
    publish(run, IMAGES, paths)
    publish(run, ANNOTATIONS, answers)
    publish(run, AUDIT, drawn)
    publish(run, DUPLICATES, Duplicates(first))
    publish(run, PREDICTIONS, Predictions(probability, novelty, unreadable, IMAGES_OF_RUN, 50, checkpoint))
    return queue


def known(run: Path, generation: int = 9) -> Evidence:
    """What that run says."""
    return evidence(run, generation, THRESHOLD)


@pytest.mark.parametrize("seed", range(8))
def test_the_card_and_the_page_say_the_same(tmp_path: Path, seed: int) -> None:
    """Positives there are, precision and recall: as the server counts them."""
    queue = a_run(tmp_path, seed)
    said = known(tmp_path)
    predictions = Predictions(
        np.asarray(_probability(tmp_path)),
        NO_FLOATS,
        NO_INTS,
        IMAGES_OF_RUN,
        50,
        {"threshold": THRESHOLD, "generation": 9},
    )
    page = Audit(queue.counted(), SETTINGS_OF_RUN).whole(0, predictions)
    assert said.standing is not None
    assert said.division is not None
    assert dict(zip(("low", "high"), said.standing.positives(), strict=True)) == page["positives"]
    drawn = [label for label in read(tmp_path, AUDIT).content.values() if label is not None]
    assert 20 < said.standing.remaining.sampled == page["rest"]["drawn"] < len(drawn)  # some were drawn beyond the gap
    model = page["model"]
    assert model is not None
    recall, precision = model["recall"], model["precision"]
    assert recall is not None
    assert precision is not None
    assert said.division.recall() == (recall["low"], recall["high"])
    assert said.division.precision() == (precision["low"], precision["high"])


def _probability(run: Path) -> list[float]:
    return list(read(run, PREDICTIONS).content.probability)


def test_answers_are_those_that_were_learnt(tmp_path: Path) -> None:
    """What was drawn is none of them; skipped ones are counted apart; the network goes by its name."""
    publish(tmp_path, SETTINGS, Settings("/photos", "/home/me/lite.pth", "max_prob", "hat", "no hat", "id"))
    publish(tmp_path, IMAGES, ["a", "b", "c", "d", "e"])
    answers: dict[str, bool | None] = {"a": True, "b": False, "c": None, "d": True}
    publish(tmp_path, ANNOTATIONS, answers)
    said = known(tmp_path)
    assert (said.positives, said.negatives, said.skipped, said.images) == (2, 1, 1, 5)
    assert said.networks == ("lite.pth",)
    assert (said.standing, said.division, said.held_out) == (None, None, None)
    drawn: dict[str, bool | None] = {"d": True}
    publish(tmp_path, AUDIT, drawn)
    assert known(tmp_path).positives == 1


def test_another_predictor_gets_no_figures_of_this_one(tmp_path: Path) -> None:
    """What the rest would be labelled as is known of the predictor that the predictions come from."""
    a_run(tmp_path, 0)
    assert known(tmp_path, generation=10).division is None
    assert known(tmp_path, generation=10).standing is not None


def test_held_out_figures_are_counted(tmp_path: Path) -> None:
    """By a threshold of the other half: here all that is .6 or more is positive, with two mistakes of either kind."""
    answers: dict[str, bool | None] = {f"{number}": number % 2 == 0 for number in range(40)}
    wrong = {"0": 0.1, "2": 0.1, "1": 0.9, "3": 0.9}
    publish(tmp_path, SETTINGS, SETTINGS_OF_RUN)
    publish(tmp_path, IMAGES, list(answers))
    publish(tmp_path, ANNOTATIONS, answers)
    publish(tmp_path, HELD_OUT, {path: wrong.get(path, 0.8 if label else 0.2) for path, label in answers.items()})
    held_out = known(tmp_path).held_out
    assert held_out is not None
    assert held_out.accuracy == (36, 40)
    assert held_out.precision == held_out.recall == (18, 20)
    low, high = held_out.average_precision_within
    assert 0.5 < low < held_out.average_precision < high <= 1
    assert high - low > 0.05


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    """Empty, or with a torn file."""
    with pytest.raises(UsageError, match="is no run"):
        known(tmp_path)
    a_run(tmp_path, 0)
    (tmp_path / AUDIT.name).write_bytes(b"torn")
    with pytest.raises(UsageError, match="is no run"):
        known(tmp_path)
