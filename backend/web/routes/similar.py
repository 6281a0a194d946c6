"""The routes for more like this: the images most similar to one of them are asked next."""

import asyncio

import numpy as np
from anyio import to_thread
from fastapi import APIRouter, HTTPException

from backend.images.images import Images
from backend.questions.similar import SupersededError
from backend.store.labels import Labels
from backend.web.bodies import LikeBody
from backend.web.documented import DocumentedRoute
from backend.web.parts import TheAuditing, TheChanges, TheFirst, TheImages, TheLabels, TheLikes, TheLoops, TheQueue
from backend.wire.images import ImagesLikeThis, UsualOrder
from IA.protocol.shown import Similar

MOST = 40  # similar images that are asked
PATIENCE_S = 10.0  # Inference may be in the middle of a batch of embeddings.

DOWN = "What is like this image is known only while inference runs; try again when it does."
SLOW = "Inference is busy and has not answered; try again."
UNKNOWN = "What is like this image is not known: it is not embedded yet, or was drawn at random to measure with."
LATER = "More of another image were wanted meanwhile."

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
    answer = await to_thread.run_sync(likes.ask, body.image)
    try:
        similar = await asyncio.wait_for(asyncio.wrap_future(answer), PATIENCE_S)
    except TimeoutError:
        raise HTTPException(503, SLOW) from None
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


def to_ask(images: Images, labels: Labels, similar: Similar) -> list[int]:
    """The first `MOST` of these that have no answer which the model may know.

    So they are the same whatever was drawn at random: see `Queue.ask_first`.
    """
    known = [image for image in similar.images if image < len(images) and not images.is_gone(image)]
    paths = {image: images.path(image) for image in known}
    return [i for i, path in paths.items() if labels.label(path) is None or labels.is_sampled(path)][:MOST]
