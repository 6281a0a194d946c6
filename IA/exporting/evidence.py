"""The evidence of a run about its predictor: answers, figures on held-out answers, how common positives are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from config import UsageError
from IA.duplicates.groups import OF_LABEL, DuplicateGroups, ImageState, divided, is_sampled
from IA.images.tiles import photo_of
from IA.learning.head import average_precision, best_threshold, folds_of
from IA.protocol.answers import read_learnable
from IA.protocol.files import ANNOTATIONS, AUDIT, DUPLICATES, HELD_OUT, IMAGES, PREDICTIONS, SETTINGS
from IA.protocol.pickle_file import PickleFile, read
from IA.protocol.records import Predictions
from IA.statistics.audit import Division, ScreeningState
from IA.statistics.draw import AuditSample, shuffled
from IA.text.answer_words import FROM_TRUTH
from IA.text.network_names import AUTO, split_networks

RESAMPLES = 1000
LEAST = 5  # held-out answers of each kind, below which there are no figures

Content = TypeVar("Content")
Counted = tuple[int, int]
"""How often the predictor was right, and how often it could have been."""


@dataclass(frozen=True)
class HeldOut:
    """Answers, each predicted by a head that had not learnt it, at a threshold tuned on the other half of them.

    Attributes:
        accuracy: the answers that it predicted correctly, of all answers.
        precision: the positives among the answers that it predicted as positive.
        recall: the answers that it predicted as positive, of the positives.
        average_precision: over all thresholds.
        average_precision_within: the 95 % interval of the average precision.
    """

    accuracy: Counted
    precision: Counted
    recall: Counted
    average_precision: float
    average_precision_within: tuple[float, float]


@dataclass(frozen=True)
class Evidence:
    """The evidence of one run.

    Attributes:
        networks: names of the networks that the run was started with; empty where one of them was chosen by itself.
        images: how many images there are in its folder.
        positives: positive answers that the model may learn.
        negatives: negative answers that the model may learn.
        skipped: images that a person skipped.
        held_out: figures on held-out answers; None with fewer than `LEAST` answers of a kind.
        standing: what the audit sample says about all images; None if there is no sample.
        division: what the audit sample says about the predictor's own labels; None if there is no sample, or if the run
            has no predictions of this very predictor.
        photos: how many photos the images are tiles of; None if the images are photos.
    """

    networks: tuple[str, ...]
    images: int
    positives: int
    negatives: int
    skipped: int
    held_out: HeldOut | None
    standing: ScreeningState | None
    division: Division | None
    photos: int | None = None


def evidence(run: Path, generation: int, threshold: float) -> Evidence:
    """The evidence in the files of a run.

    Args:
        run: the run directory.
        generation: the generation of the predictor.
        threshold: the threshold of the predictor.

    Raises:
        UsageError: there is no run in the directory, or a file of it is damaged.
    """
    try:
        settings, images, answers = read(run, SETTINGS).content, read(run, IMAGES).content, read_learnable(run)
        everything = read(run, ANNOTATIONS).content
        sampled = _read_if_there(run, AUDIT) or {}
        held_out = _read_if_there(run, HELD_OUT) or {}
        predictions = _read_if_there(run, PREDICTIONS)
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} is no run that has learnt anything ({str(error).rstrip('.')}).") from None
    states = _states(images, everything, sampled, predictions)
    if settings.alike != "off" and (duplicates := _read_if_there(run, DUPLICATES)):
        states = DuplicateGroups(divided(duplicates.first, len(images))).states(states)
    probability = np.full(len(images), np.nan, np.float32)
    is_this = False
    if predictions is not None:
        known = np.asarray(predictions.probability)[: len(images)]
        probability[: len(known)] = known
        is_this = (predictions.checkpoint or {}).get("generation") == generation
    sample = AuditSample.from_order(
        shuffled(len(images)), states == 0, is_sampled(states), states & int(ImageState.POSITIVE) != 0
    )
    labels = {path: label for path, label in answers.items() if label is not None}
    screening = sample.screening(int((states & int(ImageState.POSITIVE) != 0).sum()))
    return Evidence(
        networks=_networks(settings.network),
        images=len(images),
        positives=sum(labels.values()),
        negatives=len(labels) - sum(labels.values()),
        skipped=sum(label is None for label in everything.values()),
        held_out=_held_out({path: value for path, value in held_out.items() if path in labels}, labels),
        standing=screening if len(sample.images) else None,
        division=sample.division(screening.found, probability >= threshold) if len(sample.images) and is_this else None,
        photos=len(set(map(photo_of, images))) if settings.tile else None,
    )


def _read_if_there(run: Path, file: PickleFile[Content]) -> Content | None:
    return read(run, file).content if (run / file.name).exists() else None


# --- held out ---------------------------------------------------------------------------------------------------------


def _held_out(predicted: Mapping[str, float], labels: Mapping[str, bool]) -> HeldOut | None:
    in_order = [path for path in labels if path in predicted]
    truth = torch.tensor([labels[path] for path in in_order], dtype=torch.bool)
    if min(int(truth.sum()), int((~truth).sum())) < LEAST:
        return None
    probability = torch.tensor([predicted[path] for path in in_order])
    called = _called(probability, truth)
    right = int((called & truth).sum())
    return HeldOut(
        accuracy=(int((called == truth).sum()), len(truth)),
        precision=(right, int(called.sum())),
        recall=(right, int(truth.sum())),
        average_precision=average_precision(probability, truth),
        average_precision_within=_resampled(probability, truth),
    )


def _called(probability: Tensor, truth: Tensor) -> Tensor:
    """The labels of each half by a threshold that was tuned on the other half, (n,) bool."""
    called = torch.zeros(len(truth), dtype=torch.bool)
    even = folds_of(truth, 2) == 0
    for half in (even, ~even):
        called[half] = probability[half] >= best_threshold(probability[~half], truth[~half])
    return called


def _resampled(probability: Tensor, truth: Tensor) -> tuple[float, float]:
    """The 95 % interval of the average precision, by resampling positives and negatives (bootstrap: Efron 1979)."""
    dice = torch.Generator().manual_seed(0)
    places = [kind.nonzero()[:, 0] for kind in (truth, ~truth)]
    found = []
    for _ in range(RESAMPLES):
        resample = torch.cat([some[torch.randint(len(some), (len(some),), generator=dice)] for some in places])
        found.append(average_precision(probability[resample], truth[resample]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


# --- sampled at random ------------------------------------------------------------------------------------------------


def _networks(setting: str) -> tuple[str, ...]:
    names = split_networks(setting)
    return () if AUTO in names else tuple(Path(name).name for name in names if name)


def _states(
    images: Sequence[str],
    labels: Mapping[str, bool | None],
    sampled: Mapping[str, bool | None],
    predictions: Predictions | None,
) -> NDArray[np.uint8]:
    """The state of each image, as the server has it."""
    states = np.zeros(len(images), np.uint8)
    for number, path in enumerate(images):
        if path in labels:
            states[number] = int(OF_LABEL[FROM_TRUTH[labels[path]]] | (ImageState.DRAWN if path in sampled else 0))
    if predictions is not None:
        states[np.asarray(predictions.unreadable)] |= int(ImageState.UNREADABLE)
    return states
