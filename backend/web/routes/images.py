"""The routes of questions and pictures: which images to answer next, and how each of them looks."""

import errno
from typing import Annotated, Any
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.responses import Response

from backend.session.showing import Showing
from backend.web import shapes
from backend.web.bodies import Client, Number, ReleaseBody
from backend.web.page import FOR_GOOD
from backend.web.parts import TheAuditing, TheFollowing, TheImages, TheQueue, TheShowing, TheTurns
from IA.images.pictures import UnreadableError

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # These say nothing about the file that was to be opened.

router = APIRouter()


@router.get("/api/queue", summary="The images to answer next, best first")
def queue(
    auditing: TheAuditing,
    queue: TheQueue,
    images: TheImages,
    following: TheFollowing,
    count: Annotated[int, Query(ge=1, le=100)] = 8,
    client: Client = "api",
) -> dict[str, Any]:
    """Hand out the next images to one client."""
    auditing.end_random()
    asked = [
        shapes.question(images, image, probability, queue.near_duplicates(image, client))
        for image, probability in queue.next(client, count)
    ]
    ranking = following.ranking
    return {"images": asked, "ranking": ranking and ranking.generation, "left": queue.left}


@router.post("/api/queue/release", status_code=204, summary="Hand back what this client was given: it has gone")
def release(body: ReleaseBody, queue: TheQueue) -> None:
    """Let others be given what this client had in its hands."""
    queue.release(body.client)


@router.get(
    "/api/images/{image}",
    summary="One image for display, upright; or the photo of a tile",
    response_class=Response,
)
async def picture(
    image: Number,
    showing: TheShowing,
    turns: TheTurns,
    size: Annotated[int | None, Query(ge=1, le=65535)] = None,
    version: str | None = None,
    whole: bool = False,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Render a picture in a thread; `version` only makes the address of a changed file another one."""
    return await to_thread.run_sync(_picture, showing, image, size, whole, if_none_match, limiter=turns.pictures)


def _picture(showing: Showing, image: int, size: int | None, whole: bool, if_none_match: str) -> Response:
    try:
        tag = showing.tag(image, size, whole)
        headers = {"cache-control": FOR_GOOD, "etag": f'"{tag}"'}
        if f'"{tag}"' in if_none_match:
            return Response(status_code=304, headers=headers)
        shown = showing.render(image, size, whole)
        is_same = tag == showing.tag(image, size, whole)  # If not, the file was replaced in the meantime.
    except UnreadableError as error:
        raise HTTPException(415, f"This image cannot be shown. {error}") from None
    except OSError as error:
        if error.errno in EXHAUSTED:
            raise
        raise HTTPException(404, f"There is no image {image}, or its file is away.") from None
    damage = {"x-damage": quote(shown.damage)} if shown.damage else {}
    return Response(shown.content, media_type=shown.media_type, headers=(headers if is_same else {}) | damage)
