"""The routes that take answers, take them back, and list them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query

from backend.session.session import Session
from backend.store.figures.review import Choice, Order
from backend.store.sources import Source
from backend.store.table import Answer, Label
from backend.web.bodies import AnnotationBody, BatchBody, Share, SplitBody, UndoBody
from backend.web.express import Express, Route


def add_answer_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""

    @app.post("/api/annotations", status_code=201, summary="Answer an image; acknowledged once durable")
    async def annotate(body: AnnotationBody) -> dict[str, Any]:
        given = _answers(session, body)
        if not given:
            raise HTTPException(404, _unknown(body.image))
        stored = {answer.id: answer for answer in await asyncio.wrap_future(session.labels.annotate_all(given))}
        return _told(session, given, stored) | session.counts()

    @app.post("/api/annotations/batch", status_code=201, summary="Answer up to 100 images at once, in one transaction")
    async def annotate_all(body: BatchBody) -> dict[str, Any]:
        given = [_answers(session, entry) for entry in body.annotations]
        future = session.labels.annotate_all([answer for some in given for answer in some])
        stored = {answer.id: answer for answer in await asyncio.wrap_future(future)}
        results = [
            {"id": str(entry.id), **_told(session, some, stored), "status": 201}
            if some
            else {"id": str(entry.id), "status": 404, "detail": _unknown(entry.image)}
            for entry, some in zip(body.annotations, given, strict=True)
        ]
        return {"results": results, **session.counts()}

    ways: dict[str, Route] = {
        "/api/annotations": (AnnotationBody, annotate),
        "/api/annotations/batch": (BatchBody, annotate_all),
    }
    app.add_middleware(Express, routes=ways, handlers=app.exception_handlers)

    @app.post("/api/undo", summary="Take back this client's last answer, or the last group of them, or its last split")
    async def undo(body: UndoBody) -> dict[str, Any]:
        together = await asyncio.wrap_future(session.labels.undo_split(body.client))
        if together:
            return session.rejoined(together, body.client)
        taken = await asyncio.wrap_future(session.labels.undo(body.client))
        images = session.taken_back(taken, body.client)
        return {**images[-1], "images": images}

    @app.post("/api/split", summary="Ask an image and its near duplicates one by one from now on")
    async def split(body: SplitBody) -> dict[str, Any]:
        try:
            members = session.queue.members(body.image)
            splitting = session.split(body.image, body.client)
        except IndexError:
            raise HTTPException(404, _unknown(body.image)) from None
        if splitting is not None:
            await asyncio.wrap_future(splitting)
        return {"image": body.image, "alike": [other for other in members if other != body.image]}

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


def _answers(session: Session, body: AnnotationBody) -> list[Answer]:
    """The answer that a body describes, and the same for near duplicates; none where no image has its number."""
    try:
        answer = session.answer(
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
        return []
    copies = session.copies(answer, body.alike) if body.alike else []
    return [replace(answer, group=answer.group or answer.id) if copies else answer, *copies]


def _told(session: Session, given: Sequence[Answer], stored: Mapping[str, Answer]) -> dict[str, Any]:
    """What is said of an answer and its copies; of these only those that were stored."""
    image, *alike = [session.images.number(stored[answer.id].path) for answer in given if answer.id in stored]
    return {"image": image, "label": stored[given[0].id].label} | ({"alike": alike} if len(given) > 1 else {})


def _unknown(image: int) -> str:
    return f"There is no image {image}."
