"""The routes by which the model labels what nobody has answered: a preview, doing it, and taking it back."""

from typing import Any

from fastapi import APIRouter, HTTPException

from backend.images.images import Images
from backend.questions.doubtful import Doubtful
from backend.questions.finishing import BINS, USUAL_THRESHOLD, UnreviewedImages
from backend.store.model_labels import BusyError, Finish, NoFinishError, Progress
from backend.web import shapes
from backend.web.bodies import DoubtfulBody, FinishBody, Share
from backend.web.parts import TheAuditing, TheFirst, TheImages, TheModelLabels

BUSY = "The labels of the model are being written; wait until that is done."
NO_MODEL = "There is no model yet that could label anything."
NEWER = "The model has learnt since; look at its figures again."
ANSWER = "{lacks}; answer them first (PUT /api/audit draws them: share 1, until {needed}), or send anyway: true."

router = APIRouter()


@router.get("/api/finish", summary="What would become of the rest if the model labelled it")
def look(
    auditing: TheAuditing,
    labels: TheModelLabels,
    images: TheImages,
    threshold: Share | None = None,
    low: Share | None = None,
    high: Share | None = None,
) -> dict[str, Any]:
    """Preview the labels of the model at a threshold, and the doubtful images in a band of probability."""
    unreviewed = auditing.unreviewed()
    preview = _without_model() if unreviewed is None else _preview(unreviewed, images, threshold, low, high)
    return preview | {
        "random": auditing.audit().random if unreviewed is None else unreviewed.random,
        "standing": labels.standing and labels.standing.told(),
        "writing": labels.progress and _progress(labels.progress),
        "trouble": labels.trouble,
    }


@router.post("/api/finish", status_code=202, summary="Let the model label the rest; people's answers stay as they are")
def finish(body: FinishBody, auditing: TheAuditing, labels: TheModelLabels, images: TheImages) -> dict[str, Any]:
    """Begin to write the labels; a request that is repeated with the same id is one finish."""
    known = labels.known(str(body.id))
    if known is not None:
        return known.told()
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
        return labels.write(decided, unreviewed.images, unreviewed.probability, images.path).told()
    except BusyError:
        raise HTTPException(409, BUSY) from None


@router.post("/api/finish/undo", summary="Take the model's labels away")
def undo(labels: TheModelLabels) -> dict[str, Any]:
    """Take the labels of the finish that stands away."""
    try:
        return labels.undo().told()
    except BusyError:
        raise HTTPException(409, BUSY) from None
    except NoFinishError:
        raise HTTPException(409, "There are no labels of the model to take away.") from None


@router.post("/api/finish/doubtful", summary="Ask the images in a band of probability before all others")
def doubtful(body: DoubtfulBody, auditing: TheAuditing, first: TheFirst) -> dict[str, Any]:
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
) -> dict[str, Any]:
    threshold = unreviewed.usual_threshold if threshold is None else threshold
    band = Doubtful.around(threshold) if low is None or high is None else Doubtful(low, high, threshold)
    return {
        **unreviewed.figures(threshold),
        "doubtful": unreviewed.doubtful(band),
        "examples": {
            name: [shapes.example(images, image, probability) for image, probability in examples]
            for name, examples in unreviewed.examples(threshold).items()
        },
    }


def _without_model() -> dict[str, Any]:
    band = Doubtful.around(USUAL_THRESHOLD)
    return {
        "threshold": USUAL_THRESHOLD,
        "checkpoint": None,
        **dict.fromkeys(("positive", "negative", "unscored", "drawn", "drawn_positive"), 0),
        "positive_known": True,
        **dict.fromkeys(("precision", "recall")),
        "histogram": [0] * BINS,
        "doubtful": {"low": band.low, "high": band.high, "images": 0, "next": 0},
        "examples": {"above": [], "at": [], "below": []},
    }


def _progress(progress: Progress) -> dict[str, int]:
    return {"done": progress.done, "total": progress.total}
