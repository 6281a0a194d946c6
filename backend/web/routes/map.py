"""The routes of the map: its points, its clusters, some of its images, and what a person does with places of it."""

import hashlib
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.responses import Response

from backend.web import shapes
from backend.web.bodies import MapAnswerBody, Number, PlacesBody
from backend.web.documented import DocumentedRoute, file_answer
from backend.web.parts import TheAnswering, TheAuditing, TheFirst, TheFolderMap, TheImages, TheLoops, TheQueue
from backend.wire.map import FolderMapOverview, MapAnswer, MapImages, PlacesAsked

FIRST, ANSWERS = PATHS_WITH_IMAGES = ("/api/map/first", "/api/map/answers")
MOST_BYTES = 12 * 2**20  # of a body that names a million images
MOST_IMAGES = 24  # whose names one request asks for
BINARY = "application/octet-stream"

OFF = "There is no map: inference, which computes it, is off in this session."
DOWN = "There is no map yet: inference, which computes it, is down; the map comes when it runs again."
COMING = "There is no map yet: it comes once the first images are embedded."
ALL_ANSWERED = "All of these images are answered; choose others on the map."

router = APIRouter(route_class=DocumentedRoute)


@router.get("/api/map", summary="The map of the folder in clusters, for going through it without seeing it")
def overview(folder_map: TheFolderMap, queue: TheQueue, loops: TheLoops) -> FolderMapOverview:
    """Tell how the images lie, or why there is no map yet."""
    coming = None
    if folder_map.generation is None:
        coming = {"off": OFF, "down": DOWN}.get(loops.now["inference"], COMING)
    return {
        "images": len(queue.states),
        "placed": folder_map.placed,
        "generation": folder_map.generation,
        "method": folder_map.method,
        "clusters": folder_map.clusters(),
        "coming": coming,
    }


@router.get(
    "/api/map/points",
    summary="All points of the map, in bytes",
    response_class=Response,
    responses=file_answer(BINARY),
)
def points(
    folder_map: TheFolderMap,
    generation: Annotated[int | None, Query(ge=0)] = None,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """Send six arrays, one after the other (docs/reference/formats.md); nothing where there is no map.

    `generation` only makes the address of another layout another one.
    """
    number, found = folder_map.points() or (0, None)
    content = b"" if found is None else found.packed()
    tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "no-cache", "x-generation": str(number)}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=BINARY, headers=headers)


@router.get("/api/map/images", summary="The names of some images of the map, and what it shows of them")
def names(
    folder_map: TheFolderMap,
    images: TheImages,
    image: Annotated[list[Number], Query(min_length=1, max_length=MOST_IMAGES)],
) -> MapImages:
    """Name images; those that are not there are left out."""
    shown = folder_map.shown(image)
    return {"images": [shapes.map_image(images, number, label, probability) for number, label, probability in shown]}


@router.post(FIRST, summary="Ask the images at some places of the map before all others")
def ask_first(body: PlacesBody, folder_map: TheFolderMap, first: TheFirst, auditing: TheAuditing) -> PlacesAsked:
    """Ask these images first, the likeliest before the others."""
    chosen = folder_map.to_ask(np.array(body.images, np.int64))
    if not len(chosen):
        raise HTTPException(409, ALL_ANSWERED)
    first.ask_places(chosen)
    auditing.choose_first()
    return {"images": len(chosen)}


@router.post(ANSWERS, status_code=201, summary="Give one answer to all images at some places of the map")
def answer(body: MapAnswerBody, answering: TheAnswering) -> MapAnswer:
    """Answer the images that have no answer; one undo takes all of it back."""
    placed = answering.answer_places(body.images, body.label, body.client, str(body.id))
    return {"id": str(body.id), "stored": placed.stored, "kept": placed.kept, **answering.counts()}
