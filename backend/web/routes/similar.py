"""The routes for what a person looks for: images that resemble one of them, or that fit some words."""

import asyncio
import math
from concurrent.futures import Future

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, HTTPException

from backend.images.images import Images
from backend.questions.queue import Queue
from backend.questions.similar import Likes, SupersededError
from backend.store.labels import Labels
from backend.web import shapes
from backend.web.bodies import Client, LikeBody, PromptBody
from backend.web.documented import DocumentedRoute
from backend.web.parts import (
    TheAuditing,
    TheChanges,
    TheCurrentSettings,
    TheFirst,
    TheFollowing,
    TheImages,
    TheLabels,
    TheLikes,
    TheLoops,
    TheQueue,
    TheScores,
)
from backend.wire.images import ImagesLikeThis, PromptPreview, UsualOrder
from backend.wire.status import PriorStatus
from IA.protocol.fields import NO_FLOATS, Floats
from IA.protocol.shown import Similar
from IA.text.prompts import checked_prompt

MOST = 40  # similar images that are asked
FIRST = 9  # images that show what a prompt leads to
PATIENCE_S = 10.0  # Inference may be in the middle of a batch of embeddings.

DOWN = "What is like this image is known only while inference runs; try again when it does."
SLOW = "Inference is busy and has not answered; try again."
UNKNOWN = "What is like this image is not known: it is not embedded yet, or was drawn at random to measure with."
LATER = "More of another image were wanted meanwhile."
WORDS_STARTING = "Inference is starting; what these words lead to is known in a moment."
WORDS_DOWN = "What these words lead to is known only while inference runs; they can be kept all the same."
WORDS_LATER = "Other words were typed meanwhile."

router = APIRouter(route_class=DocumentedRoute)


@router.post("/api/like", summary="Ask the images most like this one before all others")
async def like(
    body: LikeBody,
    images: TheImages,
    labels: TheLabels,
    queue: TheQueue,
    first: TheFirst,
    likes: TheLikes,
    loops: TheLoops,
    auditing: TheAuditing,
) -> ImagesLikeThis:
    """Have inference find the most similar images, and ask them first."""
    if body.image >= len(images):
        raise HTTPException(404, f"There is no image {body.image}.")
    if loops.now["inference"] != "running":
        raise HTTPException(503, DOWN)
    if queue.is_apart(body.image):  # What comes next must not depend on what was drawn.
        raise HTTPException(409, UNKNOWN)
    try:
        similar = await answered(likes, await to_thread.run_sync(likes.ask, body.image))
    except SupersededError:
        raise HTTPException(409, LATER) from None
    chosen = to_ask(images, labels, similar)
    if not chosen:
        raise HTTPException(409, UNKNOWN)
    first.ask_like(np.array(chosen, np.int32))
    auditing.choose_first()
    return {"image": body.image, "images": len(chosen)}


@router.delete("/api/like", summary="Ask in the usual order again")
def forget(first: TheFirst, changes: TheChanges) -> UsualOrder:
    """Forget what was to be asked first."""
    first.forget()
    changes.notify()
    return {"images": 0}


@router.put("/api/prompt", summary="Ask first what fits these words, from now on")
def prompt(body: PromptBody, settings: TheCurrentSettings, scores: TheScores) -> PriorStatus:
    """Store the prompt; the loops follow it at once. An empty one is dropped."""
    try:
        settings.change(prompt=_checked(body.text))
    except OSError as error:
        raise HTTPException(503, f"The prompt could not be stored ({error.strerror}).") from None
    return shapes.prior(settings.now, scores)


@router.get("/api/prompt", summary="What words lead to: known classes, and the images that would be asked first")
async def prompt_preview(
    text: str,
    images: TheImages,
    queue: TheQueue,
    likes: TheLikes,
    loops: TheLoops,
    following: TheFollowing,
    client: Client | None = None,
) -> PromptPreview:
    """Have inference read a prompt; nothing is stored, and nobody is asked anything."""
    text = _checked(text)
    if not text:
        return {"text": "", "classes": [], "images": [], "note": ""}
    if loops.now["inference"] != "running":
        raise HTTPException(503, WORDS_STARTING if loops.now["inference"] == "starting" else WORDS_DOWN)
    try:
        similar = await answered(likes, await to_thread.run_sync(likes.ask_in_words, text, client))
    except SupersededError:
        raise HTTPException(409, WORDS_LATER) from None
    predictions = following.predictions
    probability = predictions.content.probability if predictions else NO_FLOATS
    shown = [
        shapes.example(images, image, _probability(probability, image, queue))
        for image in _first(images, queue, similar)
    ]
    return {"text": text, "classes": similar.classes, "images": shown, "note": similar.note}


def _checked(text: str) -> str:
    try:
        return checked_prompt(text)
    except ValueError as mistake:
        raise HTTPException(422, str(mistake)) from None


def _first(images: Images, queue: Queue, similar: Similar) -> list[int]:
    """The first `FIRST` of these that are still to be asked, one of each unit; what was drawn looks like the others."""
    units: dict[int, int] = {}
    for image in map(int, similar.images):
        if image < len(images) and queue.states.is_open(image):
            units.setdefault(queue.states.unit(image), image)
    return list(units.values())[:FIRST]


def _probability(probability: Floats, image: int, queue: Queue) -> float | None:
    """The probability of an image, unless anybody has it in hand: else it would be missing of what was drawn alone."""
    if image >= len(probability) or queue.leases.of(image) is not None:
        return None
    known = float(probability[image])
    return None if math.isnan(known) else known


async def answered(likes: Likes, answer: "Future[Similar]") -> Similar:
    """What inference answers; refuses the request where that takes too long. Raises SupersededError."""
    try:
        return await asyncio.wait_for(asyncio.wrap_future(answer), PATIENCE_S)
    except TimeoutError:
        await to_thread.run_sync(likes.give_up, answer)
        raise HTTPException(503, SLOW) from None


def to_ask(images: Images, labels: Labels, similar: Similar) -> list[int]:
    """The first `MOST` of these that have no answer which the model may know.

    So they are the same whatever was drawn at random: see `Queue.ask_first`.
    """
    known = [image for image in similar.images if image < len(images) and not images.is_gone(image)]
    paths = {image: images.path(image) for image in known}
    return [i for i, path in paths.items() if labels.label(path) is None or labels.is_sampled(path)][:MOST]
