"""The routes that take answers, take them back, and list them."""

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query

from backend.answers import Answer, Label, Source
from backend.bodies import AnnotationBody, BatchBody, Share, UndoBody
from backend.express import Express, Route
from backend.review import Choice, Order
from backend.session import Session


def add_answer_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""

    @app.post("/api/annotations", status_code=201, summary="Answer an image; acknowledged once durable")
    async def annotate(body: AnnotationBody) -> dict[str, Any]:
        answer = _answer(session, body)
        if answer is None:
            raise HTTPException(404, _unknown(body))
        stored = await asyncio.wrap_future(session.labels.annotate(answer))
        return _told(session, stored) | session.counts()

    @app.post("/api/annotations/batch", status_code=201, summary="Answer up to 100 images at once, in one transaction")
    async def annotate_all(body: BatchBody) -> dict[str, Any]:
        given = [_answer(session, entry) for entry in body.annotations]
        known = [answer for answer in given if answer is not None]
        answers = await asyncio.wrap_future(session.labels.annotate_all(known))
        stored = iter(answers)
        results = [
            {"id": str(entry.id), "status": 404, "detail": _unknown(entry)}
            if answer is None
            else {"id": str(entry.id), **_told(session, next(stored)), "status": 201}
            for entry, answer in zip(body.annotations, given, strict=True)
        ]
        return {"results": results, **session.counts()}

    ways: dict[str, Route] = {
        "/api/annotations": (AnnotationBody, annotate),
        "/api/annotations/batch": (BatchBody, annotate_all),
    }
    app.add_middleware(Express, routes=ways, handlers=app.exception_handlers)

    @app.post("/api/undo", summary="Take back this client's last answer, or the last group of them")
    async def undo(body: UndoBody) -> dict[str, Any]:
        taken = await asyncio.wrap_future(session.labels.undo(body.client))
        images = session.taken_back(taken, body.client)
        return {**images[-1], "images": images}

    @app.get("/api/annotations", summary="The answers, newest or most suspicious first")
    def annotations(
        limit: Annotated[int, Query(ge=0, le=1000)] = 50,
        offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
        label: Label | None = None,
        source: Source | None = None,
        least: Share | None = None,
        most: Share | None = None,
        disagrees: bool = False,
        order: Order = "newest",
    ) -> dict[str, Any]:
        choice = Choice(label, source, least, most, disagrees, order)
        answers, total = session.chosen(choice, limit, offset)
        return {"annotations": [session.record(answer) for answer in answers], "total": total}

    @app.get("/api/statistics", summary="How the work goes: found, asked, right, missed")
    def statistics(points: Annotated[int, Query(ge=2, le=1000)] = 200) -> dict[str, Any]:
        return session.statistics(points)


def _answer(session: Session, body: AnnotationBody) -> Answer | None:
    """The answer that a body describes; None where no image has its number."""
    try:
        return session.answer(
            body.image,
            body.client,
            id=str(body.id),
            label=body.label,
            source=body.source,
            shown_ms=body.shown_ms,
            group=None if body.group is None else str(body.group),
            repeat=body.repeat,
            reviewed=body.reviewed,
        )
    except IndexError:
        return None


def _told(session: Session, answer: Answer) -> dict[str, Any]:
    return {"image": session.images.number(answer.path), "label": answer.label}


def _unknown(body: AnnotationBody) -> str:
    return f"There is no image {body.image}."
