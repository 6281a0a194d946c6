"""The routes that take answers, take them back, and list them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Query

from backend.images.images import Images
from backend.session.answering import Answering, Given, given_now
from backend.store.figures.review import Choice, Order
from backend.store.sources import Source
from backend.store.table import Answer, Label
from backend.web import shapes
from backend.web.bodies import AnnotationBody, BatchBody, Share, SplitBody, UndoBody
from backend.web.documented import DocumentedRoute
from backend.web.fast_route import FastRoute
from backend.web.parts import TheAnswering, TheFollowing, TheImages, TheLabels
from backend.wire.answers import (
    AnswerPage,
    BatchResults,
    CountedAnswer,
    RefusedResult,
    SplitImage,
    StoredAnswer,
    StoredResult,
    UndoneAnswers,
    UndoneSplit,
)

router = APIRouter(route_class=DocumentedRoute)
answers = APIRouter(route_class=FastRoute)


@answers.post("/api/annotations", status_code=201, summary="Answer an image; acknowledged once durable")
async def annotate(body: AnnotationBody, answering: TheAnswering, images: TheImages) -> CountedAnswer:
    """Store an answer, and the same for the near duplicates that the client names."""
    given = _given(answering, body)
    if not given.answers:
        raise HTTPException(404, _unknown(body.image))
    stored = {answer.id: answer for answer in await asyncio.wrap_future(answering.store([given]))}
    return {**_outcome(images, given.answers, stored), **answering.counts()}


@answers.post("/api/annotations/batch", status_code=201, summary="Answer up to 100 images at once, in one transaction")
async def annotate_all(body: BatchBody, answering: TheAnswering, images: TheImages) -> BatchResults:
    """Store all answers whose image is known, and say of each one what became of it."""
    given = [_given(answering, entry) for entry in body.annotations]
    stored = {answer.id: answer for answer in await asyncio.wrap_future(answering.store(given))}
    results: list[StoredResult | RefusedResult] = [
        {"id": str(entry.id), **_outcome(images, some.answers, stored), "status": 201}
        if some.answers
        else {"id": str(entry.id), "status": 404, "detail": _unknown(entry.image)}
        for entry, some in zip(body.annotations, given, strict=True)
    ]
    return {"results": results, **answering.counts()}


@router.post("/api/undo", summary="Take back this client's last answer, or the last group of them, or its last split")
async def undo(
    body: UndoBody, answering: TheAnswering, labels: TheLabels, images: TheImages
) -> UndoneAnswers | UndoneSplit:
    """Take back what the client did last, and put the images into its hands again."""
    together = await asyncio.wrap_future(labels.undo_split(body.client))
    if together:
        return shapes.rejoined(images, together[0], answering.rejoined(together, body.client))
    taken = await asyncio.wrap_future(labels.undo(body.client))
    more = await to_thread.run_sync(answering.take_back_places, taken[-1]) if taken[-1].is_of_map else 0
    return shapes.taken_back(images, answering.taken_back(taken, body.client), more + given_now(taken))


@router.post("/api/split", summary="Ask an image and its near duplicates one by one from now on")
async def split(body: SplitBody, answering: TheAnswering) -> SplitImage:
    """Split an image and its near duplicates; the answer names the others."""
    try:
        members, splitting = answering.split(body.image, body.client)
    except IndexError:
        raise HTTPException(404, _unknown(body.image)) from None
    if splitting is not None:
        await asyncio.wrap_future(splitting)
    return {"image": body.image, "alike": [other for other in members if other != body.image]}


@router.get("/api/annotations", summary="The answers, newest or most suspicious first")
def annotations(
    answering: TheAnswering,
    images: TheImages,
    following: TheFollowing,
    limit: Annotated[int, Query(ge=0, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    label: Label | None = None,
    source: Source | None = None,
    least: Share | None = None,
    most: Share | None = None,
    disagrees: bool = False,
    order: Order = "newest",
) -> AnswerPage:
    """List standing answers."""
    choice = Choice(label, source, least, most, disagrees, order)
    chosen, total = answering.chosen(choice, limit, offset)
    listed = [shapes.annotation(images, following.held_out, answer) for answer in chosen]
    return {"annotations": listed, "total": total}


def _given(answering: Answering, body: AnnotationBody) -> Given:
    """The answer that a body describes, and the same for near duplicates; none where no image has its number."""
    return answering.given(
        body.image,
        body.client,
        body.alike,
        id=str(body.id),
        label=body.label,
        source=body.source,
        shown_ms=body.shown_ms,
        group=None if body.group is None else str(body.group),
        repeat=body.repeat,
        reviewed=body.reviewed,
    )


def _outcome(images: Images, given: Sequence[Answer], stored: Mapping[str, Answer]) -> StoredAnswer:
    """What became of an answer and its copies; of the copies only those that were stored are named."""
    image, *alike = [images.number(stored[answer.id].path) for answer in given if answer.id in stored]
    answer: StoredAnswer = {"image": image, "label": stored[given[0].id].label}
    return {**answer, "alike": alike} if len(given) > 1 else answer


def _unknown(image: int) -> str:
    return f"There is no image {image}."
