"""The routes by which the model labels the rest: what that would be, doing it, and taking it back."""

from typing import Any

from fastapi import FastAPI, HTTPException

from backend.images.names import names_of
from backend.questions.doubtful import Doubtful
from backend.questions.finishing import BINS, USUAL_THRESHOLD, UnreviewedImages
from backend.session.session import Session
from backend.store.model_labels import BusyError, Finish, NoFinishError, Progress
from backend.web.bodies import DoubtfulBody, FinishBody, Share

BUSY = "The labels of the model are being written; wait until that is done."
NO_MODEL = "There is no model yet that could label anything."
NEWER = "The model has learnt since; look at its figures again."
ANSWER = "{lacks}; answer them first (PUT /api/audit draws them: share 1, until {needed}), or send anyway: true."


def add_finish_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""

    @app.get("/api/finish", summary="What would become of the rest if the model labelled it")
    def look(threshold: Share | None = None, low: Share | None = None, high: Share | None = None) -> dict[str, Any]:
        rest = session.rest()
        told = _without_model() if rest is None else _looked_at(session, rest, threshold, low, high)
        labels = session.model_labels
        return told | {
            "random": session.audit().random if rest is None else rest.random,
            "standing": labels.standing and labels.standing.told(),
            "writing": labels.progress and _progress(labels.progress),
            "trouble": labels.trouble,
        }

    @app.post("/api/finish", status_code=202, summary="Let the model label the rest; people's answers stay as they are")
    def finish(body: FinishBody) -> dict[str, Any]:
        labels = session.model_labels
        known = labels.known(str(body.id))
        if known is not None:
            return known.told()
        rest = session.rest()
        if rest is None:
            raise HTTPException(409, NO_MODEL)
        if rest.checkpoint != body.checkpoint:
            raise HTTPException(409, NEWER)
        lacks = None if body.anyway else rest.lacks()
        if lacks is not None:
            raise HTTPException(409, ANSWER.format(lacks=lacks, needed=rest.random["needed"]))
        decided = Finish(str(body.id), body.client, body.threshold, body.checkpoint)
        try:
            return labels.write(decided, rest.images, rest.probability, session.images.path).told()
        except BusyError:
            raise HTTPException(409, BUSY) from None

    @app.post("/api/finish/undo", summary="Take the model's labels away")
    def undo() -> dict[str, Any]:
        try:
            return session.model_labels.undo().told()
        except BusyError:
            raise HTTPException(409, BUSY) from None
        except NoFinishError:
            raise HTTPException(409, "There are no labels of the model to take away.") from None

    @app.post("/api/finish/doubtful", summary="Ask the images in a band of probability before all others")
    def doubtful(body: DoubtfulBody) -> dict[str, Any]:
        rest = session.rest()
        if rest is None:
            raise HTTPException(409, NO_MODEL)
        threshold = rest.usual_threshold if body.threshold is None else body.threshold
        band = Doubtful(body.low, body.high, threshold)
        session.first.ask_doubtful(band, rest.order(band))
        session.asks_first()
        return rest.doubtful(band)


def _looked_at(
    session: Session, rest: UnreviewedImages, threshold: float | None, low: float | None, high: float | None
) -> dict[str, Any]:
    threshold = rest.usual_threshold if threshold is None else threshold
    band = Doubtful.around(threshold) if low is None or high is None else Doubtful(low, high, threshold)
    return {
        **rest.figures(threshold),
        "doubtful": rest.doubtful(band),
        "examples": {
            name: [_image(session, image, probability) for image, probability in images]
            for name, images in rest.examples(threshold).items()
        },
    }


def _image(session: Session, image: int, probability: float) -> dict[str, Any]:
    names = names_of(session.images.path(image))
    return {"image": image, **names, "version": session.images.version(image), "probability": probability}


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
