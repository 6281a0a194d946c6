"""The files between the processes: their names, who writes and who reads them, and their schema.

Each has one writer; each is replaced as a whole, never edited.

| file               | written by | read by                  | holds                                          |
| ------------------ | ---------- | ------------------------ | ---------------------------------------------- |
| settings.pickle    | server     | all loops                | `Settings`: network, strategy, names           |
| images.pickle      | server     | all loops                | the paths below DATADIR; an image's number     |
|                    |            |                          | is its place here, and never changes           |
| annotations.pickle | server     | all loops, users         | `{path: True, False or None (skipped)}` in the |
|                    |            |                          | order answered                                 |
| audit.pickle       | server     | all loops                | of these, the ones that were drawn at random   |
|                    |            |                          | and that the model must not know: answers.py   |
| predictor.ckpt     | trainer    | inference, server, users | the network with its head: IA/model.py         |
| held_out.pickle    | trainer    | server                   | `{path: probability}` of answered images, by a |
|                    |            |                          | head that had not learnt this answer,          |
|                    |            |                          | calibrated on all answers alike                |
| features.pickle    | inference  | trainer                  | `Features`: mean, PCA basis, a random sample   |
| duplicates.pickle  | inference  | server, trainer          | `Duplicates`: which images are alike           |
| predictions.pickle | inference  | selector, server         | `Predictions`: probability, novelty            |
| ranking.pickle     | selector   | inference, server        | `Ranking`: what to ask next, best first        |
| explanations.pickle| inference  | server                   | `Explanations`: where the model looks in the   |
|                    |            |                          | next images, and what they are like            |
| wanted.pickle      | server     | inference                | `Wanted`: of which image more are wanted       |
| similar.pickle     | inference  | server                   | `Similar`: the images most like that one       |
| backbone.ckpt      | finetuning | trainer, inference       | a backbone that has learnt from the answers:   |
|                    |            |                          | IA/finetuning/checkpoint.py                    |
| finetuning.pickle  | finetuning | trainer                  | `FineTuning`: what came of it the last time    |

Beside this module, records.py says what is in each, pickle_file.py alone opens the pickles, and watching.py tells of a
replaced one.
"""

import math
from dataclasses import asdict
from typing import Any

import numpy as np

from config import ALIKE
from IA.protocol.fields import MOST, array_bytes, array_view, count, finite, typed, within
from IA.protocol.pickle_file import PickleFile
from IA.protocol.records import (
    FULL,
    LARGEST_MAP,
    MOST_ALIKE,
    MOST_SIMILAR,
    NEIGHBOURS,
    Duplicates,
    Explanations,
    Features,
    FineTuning,
    Predictions,
    Ranking,
    Settings,
    Similar,
    Wanted,
)

PREDICTOR = "predictor.ckpt"
BACKBONE = "backbone.ckpt"
LOOPS = ("trainer", "inference", "selector")
LABELS = (bool, type(None))  # types of a label in annotations.pickle


def _unpack_paths(data: Any) -> list[str]:
    if not all(type(path) is str for path in typed(data, list)):
        raise TypeError("a path that is not text")
    paths: list[str] = data
    return paths


def _unpack_annotations(data: Any) -> dict[str, bool | None]:
    if not all(type(path) is str and type(label) in LABELS for path, label in typed(data, dict).items()):
        raise TypeError("an annotation that is not path: True, False or None")
    return dict(data)


def _unpack_settings(data: Any) -> Settings:
    fields = Settings.__dataclass_fields__
    known = {name: field.default for name, field in fields.items()} | data  # earlier runs do not say all
    kinds: dict[str, tuple[type, ...]] = {name: (str,) for name in fields} | {
        "follow_links": (bool,),
        "audit": (float,),
        "audit_after": (float, type(None)),
        "audit_until": (int, type(None)),
        "recall": (float,),
        "confidence": (float,),
        "auto_idle": (float,),
    }
    settings = Settings(**{name: typed(known[name], *kind) for name, kind in kinds.items()})
    shares = (settings.audit, settings.audit_after or 0.0, settings.recall, settings.confidence)
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("a share that is not from 0 to 1")
    if settings.audit_until is not None:
        count(settings.audit_until)
    if not 0 <= settings.auto_idle < math.inf:
        raise ValueError("a time that nobody can wait")
    if settings.alike not in ALIKE:
        raise ValueError("an unknown way to find near duplicates")
    return settings


def _pack_features(features: Features) -> dict[str, object]:
    return {
        "backbone": features.backbone,
        "images": features.images,
        "mean": array_bytes(features.mean, "f"),
        "basis": array_bytes(features.basis, "f"),
        "rooted": features.rooted,
        "sampled": array_bytes(features.sampled, "i"),
        "sample": array_bytes(features.sample, "f"),
    }


def _unpack_features(data: Any) -> Features:
    mean, basis = finite(array_view(data["mean"], "f")), finite(array_view(data["basis"], "f"))
    if not len(mean) or not len(basis) or len(basis) % len(mean):
        raise ValueError("mean and basis do not fit each other")
    sampled = array_view(data.get("sampled", b""), "i")  # earlier versions drew none
    sample = finite(array_view(data.get("sample", b""), "f"))
    if len(sample) != len(sampled) * (len(basis) // len(mean)):
        raise ValueError("the sample and its numbers do not fit each other")
    backbone, images = typed(data["backbone"], str), count(data["images"])
    return Features(backbone, images, mean, basis, typed(data["rooted"], bool), sampled, sample)


def _unpack_held_out(data: Any) -> dict[str, float]:
    for path, probability in typed(data, dict).items():
        if not 0 <= typed(probability, float) <= 1 or type(path) is not str:
            raise ValueError("held-out figures that are not path: probability")
    return dict(data)


def _unpack_fine_tuning(data: Any) -> FineTuning:
    before, after, certainty = (typed(data[name], float) for name in ("before", "after", "certainty"))
    base, labels, taken = typed(data["base"], str), count(data["labels"]), typed(data["taken"], bool)
    return FineTuning(base, labels, before, after, certainty, taken)


def _pack_duplicates(duplicates: Duplicates) -> dict[str, object]:
    return {"first": array_bytes(duplicates.first, "i")}


def _unpack_duplicates(data: Any) -> Duplicates:
    first = array_view(data["first"], "i")
    values = np.asarray(within(first, len(first) - 1))
    if (values[values] != values).any():
        raise ValueError("a group whose first image is in another one")
    if len(values) and np.bincount(values).max() > MOST_ALIKE:
        raise ValueError(f"a group of more than {MOST_ALIKE}")
    return Duplicates(first)


def _pack_predictions(predictions: Predictions) -> dict[str, object]:
    return {
        "probability": array_bytes(predictions.probability, "f"),
        "novelty": array_bytes(predictions.novelty, "f"),
        "unreadable": array_bytes(predictions.unreadable, "i"),
        "embedded": predictions.embedded,
        "labels": predictions.labels,
        "checkpoint": predictions.checkpoint,
        "missing": predictions.missing,
        "similarity": array_bytes(predictions.similarity, "f") if len(predictions.similarity) else b"",
    }


def _unpack_predictions(data: Any) -> Predictions:
    probability = within(array_view(data["probability"], "f"), 1, unknown=True)
    novelty = array_view(data["novelty"], "f")
    unreadable = array_view(data["unreadable"], "i")
    if len(probability) != len(novelty):
        raise ValueError("probability and novelty differ in length")
    within(unreadable, len(probability) - 1)
    checkpoint = typed(data["checkpoint"], dict, type(None))
    if checkpoint is not None:
        count(checkpoint["generation"])
        count(checkpoint["labels"])
        for name, value in typed(checkpoint["metrics"], dict).items():
            typed(name, str)
            typed(value, float) if type(value) is not int else count(value)
    embedded, labels, missing = (count(data[name]) for name in ("embedded", "labels", "missing"))
    similarity = array_view(data.get("similarity", b""), "f")  # earlier runs have none
    within(similarity, 1, unknown=True, least=-1)
    if len(similarity) not in (0, len(probability)):
        raise ValueError("probability and similarity differ in length")
    return Predictions(probability, novelty, unreadable, embedded, labels, checkpoint, missing, similarity)


def _pack_ranking(ranking: Ranking) -> dict[str, object]:
    return {
        "images": array_bytes(ranking.images, "i"),
        "probability": array_bytes(ranking.probability, "f"),
        "labels": ranking.labels,
        "strategy": ranking.strategy,
        "checkpoint": ranking.checkpoint,
    }


def _unpack_ranking(data: Any) -> Ranking:
    images = within(array_view(data["images"], "i"), MOST)
    probability = within(array_view(data["probability"], "f"), 1, unknown=True)
    if len(images) != len(probability):
        raise ValueError("images and probability differ in length")
    checkpoint = typed(data["checkpoint"], int, type(None))
    return Ranking(images, probability, count(data["labels"]), typed(data["strategy"], str), checkpoint)


def _pack_explanations(explanations: Explanations) -> dict[str, object]:
    return {
        "checkpoint": explanations.checkpoint,
        "images": array_bytes(explanations.images, "i"),
        "shapes": array_bytes(explanations.shapes, "i"),
        "maps": array_bytes(explanations.maps, "b"),
        "neighbours": array_bytes(explanations.neighbours, "i"),
        "similarity": array_bytes(explanations.similarity, "f"),
    }


def _unpack_explanations(data: Any) -> Explanations:
    images = within(array_view(data["images"], "i"), MOST)
    shapes = within(array_view(data["shapes"], "i"), LARGEST_MAP)
    maps = within(array_view(data["maps"], "b"), FULL, least=-FULL)
    neighbours = within(array_view(data["neighbours"], "i"), MOST, least=-1)
    similarity = within(array_view(data["similarity"], "f"), 1, least=-1)
    each = 2 * NEIGHBOURS * len(images)
    if len(shapes) != 2 * len(images) or len(neighbours) != each or len(similarity) != each:
        raise ValueError("images, shapes, neighbours and similarity do not fit each other")
    if int(np.asarray(shapes).reshape(-1, 2).prod(axis=1).sum()) != len(maps):
        raise ValueError("maps and shapes do not fit each other")
    return Explanations(count(data["checkpoint"]), images, shapes, maps, neighbours, similarity)


def _unpack_wanted(data: Any) -> Wanted:
    return Wanted(count(data["image"]), typed(data["request"], str))


def _pack_similar(similar: Similar) -> dict[str, object]:
    return {
        "request": similar.request,
        "images": array_bytes(similar.images, "i"),
        "cosine": array_bytes(similar.cosine, "f"),
    }


def _unpack_similar(data: Any) -> Similar:
    images = within(array_view(data["images"], "i"), MOST)
    cosine = within(array_view(data["cosine"], "f"), 1, least=-1)
    if len(images) != len(cosine) or len(images) > MOST_SIMILAR:
        raise ValueError("images and cosines that do not fit each other, or too many")
    return Similar(typed(data["request"], str), images, cosine)


SETTINGS = PickleFile[Settings]("settings.pickle", asdict, _unpack_settings)
IMAGES = PickleFile[list[str]]("images.pickle", list, _unpack_paths)
ANNOTATIONS = PickleFile[dict[str, bool | None]]("annotations.pickle", dict, _unpack_annotations)
AUDIT = PickleFile[dict[str, bool | None]]("audit.pickle", dict, _unpack_annotations)
FINE_TUNING = PickleFile[FineTuning]("finetuning.pickle", asdict, _unpack_fine_tuning)
HELD_OUT = PickleFile[dict[str, float]]("held_out.pickle", dict, _unpack_held_out)
FEATURES = PickleFile[Features]("features.pickle", _pack_features, _unpack_features)
DUPLICATES = PickleFile[Duplicates]("duplicates.pickle", _pack_duplicates, _unpack_duplicates)
PREDICTIONS = PickleFile[Predictions]("predictions.pickle", _pack_predictions, _unpack_predictions)
RANKING = PickleFile[Ranking]("ranking.pickle", _pack_ranking, _unpack_ranking)
EXPLANATIONS = PickleFile[Explanations]("explanations.pickle", _pack_explanations, _unpack_explanations)
WANTED = PickleFile[Wanted]("wanted.pickle", asdict, _unpack_wanted)
SIMILAR = PickleFile[Similar]("similar.pickle", _pack_similar, _unpack_similar)
PICKLES = (
    SETTINGS,
    IMAGES,
    ANNOTATIONS,
    AUDIT,
    FINE_TUNING,
    HELD_OUT,
    FEATURES,
    DUPLICATES,
    PREDICTIONS,
    RANKING,
    EXPLANATIONS,
    WANTED,
    SIMILAR,
)
