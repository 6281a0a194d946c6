"""The routes for more like this: the images most like one of them are asked next."""

import asyncio
from typing import Any

import numpy as np
from anyio import to_thread
from fastapi import FastAPI, HTTPException

from backend.questions.similar import SupersededError
from backend.session.session import Session
from backend.web.bodies import LikeBody
from IA.protocol.records import Similar

ASKED = 40  # of the most similar
PATIENCE_S = 10.0  # inference may be at a batch of embeddings

DOWN = "What is like this image is known only while inference runs; try again when it does."
SLOW = "Inference is busy and has not answered; try again."
UNKNOWN = "What is like this image is not known: it is not embedded yet, or was drawn at random to measure with."
LATER = "More of another image were wanted meanwhile."


def to_ask(session: Session, similar: Similar) -> list[int]:
    """The first `ASKED` of them that are to be asked, or that the model may not know the answer of.

    So they are the same whatever was drawn at random: see `Queue.ask_first`.
    """
    images, labels = session.images, session.labels
    known = [image for image in similar.images if image < len(images) and not images.is_gone(image)]
    paths = {image: images.path(image) for image in known}
    return [i for i, path in paths.items() if labels.label(path) is None or labels.is_sampled(path)][:ASKED]


def add_like_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""

    @app.post("/api/like", summary="Ask the images most like this one before all others")
    async def like(body: LikeBody) -> dict[str, Any]:
        if body.image >= len(session.images):
            raise HTTPException(404, f"There is no image {body.image}.")
        if session.loops["inference"] != "running":
            raise HTTPException(503, DOWN)
        if session.queue.is_apart(body.image):  # what comes next must not depend on what was drawn
            raise HTTPException(409, UNKNOWN)
        answer = await to_thread.run_sync(session.likes.ask, body.image)
        try:
            similar = await asyncio.wait_for(asyncio.wrap_future(answer), PATIENCE_S)
        except TimeoutError:
            raise HTTPException(503, SLOW) from None
        except SupersededError:
            raise HTTPException(409, LATER) from None
        images = to_ask(session, similar)
        if not images:
            raise HTTPException(409, UNKNOWN)
        session.first.ask_like(np.array(images, np.int32))
        session.asks_first()
        return {"image": body.image, "images": len(images)}

    @app.delete("/api/like", summary="Ask in the usual order again")
    def forget() -> dict[str, Any]:
        session.first.forget()
        session.changes.notify()
        return {"images": 0}
