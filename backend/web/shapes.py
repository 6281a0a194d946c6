"""The JSON that routes answer with: pure functions of what the parts of a session know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from backend.images.images import Images
from backend.images.names import displayed
from backend.questions.explanations import Explanation, Near
from backend.questions.queue import Queue
from backend.session.answering import Rejoined, TakenBack
from backend.session.scores import GivenScores
from backend.session.session import Session
from backend.store.figures.label_errors import SuspectedError
from backend.store.labels import Labels
from backend.store.model_labels import Finish
from backend.store.sources import Source
from backend.store.table import Answer, Label
from backend.wire.answers import (
    AnsweredImage,
    RecordedAnswer,
    ReunitedImage,
    SuspectedAnswer,
    UndoneAnswers,
    UndoneImage,
    UndoneSplit,
)
from backend.wire.finish import FinishedLabels
from backend.wire.images import ImageExplanation, ImageNames, NearImage, PhotoTile, QueuedImage, ScoredImage
from backend.wire.map import MapImage
from backend.wire.status import LoopStatus, ModelStatus, NetworkStatus, PriorSource, PriorStatus, SessionStatus
from IA.images.tiles import split
from IA.protocol.records import Settings


def _names(path: str) -> ImageNames:
    """The path of an image, the photo that it is or is a tile of, and which tile; None: all of it."""
    photo, tile = split(path)
    return {
        "path": displayed(path),
        "source_image": displayed(photo),
        "tile": None if tile is None else cast(PhotoTile, asdict(tile)),
    }


def question(images: Images, image: int, probability: float | None, near_duplicates: list[int]) -> QueuedImage:
    """An image that is to be answered."""
    return {
        "image": image,
        **_names(images.path(image)),
        "probability": probability,
        "version": images.version(image),
        "alike": near_duplicates,
    }


def answered_image(images: Images, answer: Answer) -> AnsweredImage:
    """The image of an answer; its number is None once the listing has lost the image."""
    image = images.number(answer.path)
    version = None if image is None else images.version(image)
    return {"image": image, **_names(answer.path), "label": answer.label, "version": version}


def annotation(images: Images, held_out: Mapping[str, float], answer: Answer) -> RecordedAnswer:
    """An answer as it is listed."""
    return {
        **answered_image(images, answer),
        "source": cast(Source, answer.source),  # Only exports have labels of the model among the answers.
        "client": answer.client,
        "time": answer.when,
        "shown_ms": answer.shown_ms,
        "probability": answer.probability,
        "held_out": held_out.get(answer.path),
        "repeat": answer.repeat,
        "copy_of": None if answer.copy_of is None else images.number(answer.copy_of),
    }


def suspected_error(
    images: Images, held_out: Mapping[str, float], answer: Answer, suspected: SuspectedError
) -> SuspectedAnswer:
    """An answer, and why it is worth a second look."""
    return {
        **annotation(images, held_out, answer),
        "held_out": suspected.held_out,
        "suspicion": suspected.error_score,
        "why": suspected.why,
    }


def taken_back(images: Images, taken: Sequence[TakenBack], answers: int) -> UndoneAnswers:
    """The images that a client sees again because it took so many answers back; the last one comes first of all."""
    shown: list[UndoneImage] = [
        {**answered_image(images, each.answer), "alike": each.near_duplicates} for each in taken
    ]
    return {**shown[-1], "images": shown, "taken": answers}


def rejoined(images: Images, path: str, rejoined: Rejoined) -> UndoneSplit:
    """Near duplicates that are one question again; `path`: the first of them, in case none is to be asked any more."""
    image = rejoined.shown
    shown: list[ReunitedImage] = []
    if image is not None:
        at, version = displayed(images.path(image)), images.version(image)
        shown = [{"image": image, "path": at, "version": version, "label": None, "alike": rejoined.near_duplicates}]
    if not shown:
        return {"image": None, "path": displayed(path), "label": None, "images": [], "together": rejoined.images}
    return {**shown[0], "images": shown, "together": rejoined.images}


def explanation(explained: Explanation, image: int, images: Images, labels: Labels, queue: Queue) -> ImageExplanation:
    """Where the model looks in an image, and the answered images that are most similar to it."""
    height, width = explained.shape
    return {
        "image": image,
        "checkpoint": explained.checkpoint,
        "map": {"height": height, "width": width, "values": list(explained.values)} if explained.values else None,
        "positive": _similar(explained.positive, "positive", images, labels, queue),
        "negative": _similar(explained.negative, "negative", images, labels, queue),
    }


def _similar(near: Near, label: Label, images: Images, labels: Labels, queue: Queue) -> list[NearImage]:
    """These images, less those that have another answer by now, are gone, or were drawn at random."""
    return [
        {
            "image": image,
            **_names(images.path(image)),
            "version": images.version(image),
            "similarity": similarity,
            "label": label,
        }
        for image, similarity in near
        if image < len(images)
        and labels.label(images.path(image)) == label
        and not queue.is_apart(image)
        and not images.is_gone(image)
    ]


def example(images: Images, image: int, probability: float | None) -> ScoredImage:
    """An image as an example: of what the model would call positive or negative, or of what words lead to."""
    return {
        "image": image,
        **_names(images.path(image)),
        "version": images.version(image),
        "probability": probability,
    }


def map_image(images: Images, image: int, label: Label | None, probability: float | None) -> MapImage:
    """An image of the map, with what the map shows of it."""
    return {
        "image": image,
        **_names(images.path(image)),
        "version": images.version(image),
        "probability": probability,
        "label": label,
    }


def finished_labels(finish: Finish) -> FinishedLabels:
    """A decision to let the model label what nobody has answered."""
    when = datetime.fromtimestamp(finish.time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return cast(FinishedLabels, {**asdict(finish), "time": when})


def status(session: Session) -> SessionStatus:
    """Everything a page shows of the run."""
    settings, following, labels = session.settings.now, session.following, session.labels
    images = session.images.present
    predictions = following.predictions and following.predictions.content
    embedded = min(predictions.embedded, images) if predictions else 0
    ranking, finish = following.ranking, session.model_labels.standing
    return {
        "id": settings.id,
        "run": displayed(str(session.run)),
        "datadir": displayed(settings.datadir),
        "classes": {"positive": settings.positive, "negative": settings.negative},
        "images": images,
        "photos": session.images.photos,
        "photos_positive": labels.photos_positive,
        "tile": settings.tile or None,
        **session.answering.counts(),
        "alike": session.queue.states.copies,
        "unreadable": session.marking.unreadable,
        "listing": session.images.listing,
        "strategy": settings.strategy,
        "prior": prior(settings, session.scores),
        "scores": session.scores.sentence or None,
        **_networks(session),
        "model": _model(predictions.checkpoint) if predictions else None,
        "ranking": None if ranking is None else {"generation": ranking.generation, "labels": ranking.content.labels},
        "embedding": {
            "done": embedded,
            "total": images,
            "percent": _percent(embedded, images - session.marking.unscorable),
        },
        "loops": cast(LoopStatus, dict(session.loops.now)),
        "tensorboard": session.config.tensorboard,
        "instructions": session.instructions.version,
        "upload": session.uploads is not None,
        "auto_idle": settings.auto_idle,
        "audit": session.auditing.audit().short(),
        "asked_first": session.auditing.asked_first(),
        "finished": None if finish is None else finished_labels(finish),
        "map": session.folder_map.generation,
    }


def _networks(session: Session) -> NetworkStatus:
    """The network in force, and what comes behind it, once inference has said so for the present setting."""
    setting, said = session.settings.now.network, session.following.networks
    if said is None or said.asked != setting:
        return {"network": displayed(setting), "behind": None}
    return {"network": displayed(said.network), "behind": displayed(said.note) or None}


def prior(settings: Settings, scores: GivenScores) -> PriorStatus:
    """What a person has said of the question before any answer."""
    said = {"examples": settings.examples, "prompt": settings.prompt, "scores": scores.count}
    return {"sources": [cast(PriorSource, name) for name, value in said.items() if value], "prompt": settings.prompt}


def _percent(part: int, whole: int) -> float:
    return round(100 * min(part / whole, 1), 1) if whole > 0 else 0.0


def _model(checkpoint: dict[str, Any] | None) -> ModelStatus | None:
    if checkpoint is None:
        return None
    metrics = {
        name: value
        for name, value in checkpoint["metrics"].items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
    return {"generation": checkpoint["generation"], "labels": checkpoint["labels"], "metrics": metrics}
