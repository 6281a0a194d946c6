"""The routes by which the model labels what nobody has answered: a preview, doing it, and taking it back."""

from fastapi import APIRouter, HTTPException

from backend.images.images import Images
from backend.questions.doubtful import Doubtful
from backend.questions.finishing import BINS, USUAL_THRESHOLD, UnreviewedImages
from backend.store.model_labels import BusyError, Finish, NoFinishError, Progress
from backend.web import shapes
from backend.web.bodies import DoubtfulBody, FinishBody, Share
from backend.web.documented import DocumentedRoute
from backend.web.parts import TheAuditing, TheFirst, TheImages, TheModelLabels
from backend.wire.finish import DoubtfulBand, FinishedLabels, FinishPreview, ModelPreview, WritingProgress
from backend.wire.images import ScoredImage

BUSY = "The labels of the model are being written; wait until that is done."
NO_MODEL = "There is no model yet that could label anything."
NEWER = "The model has learnt since; look at its figures again."
ANSWER = "{lacks}; answer them first (PUT /api/audit draws them: share 1, until {needed}), or send anyway: true."

router = APIRouter(route_class=DocumentedRoute)


@router.get("/api/finish", summary="What would become of the rest if the model labelled it")
def look(
    auditing: TheAuditing,
    labels: TheModelLabels,
    images: TheImages,
    threshold: Share | None = None,
    low: Share | None = None,
    high: Share | None = None,
) -> FinishPreview:
    """Preview the labels of the model at a threshold, and the doubtful images in a band of probability."""
    unreviewed = auditing.unreviewed()
    preview = _without_model() if unreviewed is None else _preview(unreviewed, images, threshold, low, high)
    standing = labels.standing
    return {
        **preview,
        "random": auditing.audit().random if unreviewed is None else unreviewed.random,
        "standing": None if standing is None else shapes.finished_labels(standing),
        "writing": _progress(labels.progress),
        "trouble": labels.trouble,
    }


@router.post("/api/finish", status_code=202, summary="Let the model label the rest; people's answers stay as they are")
def finish(body: FinishBody, auditing: TheAuditing, labels: TheModelLabels, images: TheImages) -> FinishedLabels:
    """Begin to write the labels; a request that is repeated with the same id is one finish."""
    known = labels.known(str(body.id))
    if known is not None:
        return shapes.finished_labels(known)
    unreviewed = auditing.unreviewed()
    if unreviewed is None:
        raise HTTPException(409, NO_MODEL)
    if unreviewed.checkpoint != body.checkpoint:
        raise HTTPException(409, NEWER)
    lacks = None if body.anyway else unreviewed.lacks()
    if lacks is not None:
        raise HTTPException(409, ANSWER.format(lacks=lacks, needed=unreviewed.random["needed"]))
    decided = Finish(str(body.id), body.client, body.threshold, body.checkpoint)
    try:
        written = labels.write(decided, unreviewed.images, unreviewed.probability, images.path)
    except BusyError:
        raise HTTPException(409, BUSY) from None
    return shapes.finished_labels(written)


@router.post("/api/finish/undo", summary="Take the model's labels away")
def undo(labels: TheModelLabels) -> FinishedLabels:
    """Take the labels of the finish that stands away."""
    try:
        return shapes.finished_labels(labels.undo())
    except BusyError:
        raise HTTPException(409, BUSY) from None
    except NoFinishError:
        raise HTTPException(409, "There are no labels of the model to take away.") from None


@router.post("/api/finish/doubtful", summary="Ask the images in a band of probability before all others")
def doubtful(body: DoubtfulBody, auditing: TheAuditing, first: TheFirst) -> DoubtfulBand:
    """Ask the doubtful images first, the nearest to the threshold before the others."""
    unreviewed = auditing.unreviewed()
    if unreviewed is None:
        raise HTTPException(409, NO_MODEL)
    threshold = unreviewed.usual_threshold if body.threshold is None else body.threshold
    band = Doubtful(body.low, body.high, threshold)
    first.ask_doubtful(band, unreviewed.order(band))
    auditing.choose_first()
    return unreviewed.doubtful(band)


def _preview(
    unreviewed: UnreviewedImages, images: Images, threshold: float | None, low: float | None, high: float | None
) -> ModelPreview:
    threshold = unreviewed.usual_threshold if threshold is None else threshold
    band = Doubtful.around(threshold) if low is None or high is None else Doubtful(low, high, threshold)
    examples = unreviewed.examples(threshold)

    def shown(place: str) -> list[ScoredImage]:
        return [shapes.example(images, image, probability) for image, probability in examples[place]]

    return {
        **unreviewed.figures(threshold),
        "doubtful": unreviewed.doubtful(band),
        "examples": {"above": shown("above"), "at": shown("at"), "below": shown("below")},
    }


def _without_model() -> ModelPreview:
    band = Doubtful.around(USUAL_THRESHOLD)
    return {
        "threshold": USUAL_THRESHOLD,
        "checkpoint": None,
        "positive": 0,
        "negative": 0,
        "unscored": 0,
        "drawn": 0,
        "drawn_positive": 0,
        "positive_known": True,
        "precision": None,
        "recall": None,
        "histogram": [0] * BINS,
        "doubtful": {"low": band.low, "high": band.high, "images": 0, "next": 0},
        "examples": {"above": [], "at": [], "below": []},
    }


def _progress(progress: Progress | None) -> WritingProgress | None:
    return None if progress is None else {"done": progress.done, "total": progress.total}
