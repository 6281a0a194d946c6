"""The routes that hand out what a person takes home: the answers in any format, and the predictor."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from backend.exports import FORMATS, pieces
from backend.exports.format import Scheme
from backend.exports.pictures import Pictures
from backend.exports.roll_up import RolledUp
from backend.exports.source import LOCAL_FILES, Source
from backend.store.labels import Labels
from backend.store.table import Label
from backend.web.bodies import OneOf
from backend.web.documented import DocumentedRoute, file_answer
from backend.web.parts import TheLabels, TheRun, TheSettings, TheTurns
from backend.web.turns import Turns
from IA.protocol.files import PREDICTOR
from IA.protocol.records import Settings

CHUNK_BYTES = 1 << 16  # Each download that nobody reads keeps one chunk.
EXPORTS_AT_ONCE = 16  # Each export keeps some megabytes.
NO_TILES = "Answers are rolled up only in a session that was started with --tile."

FormatName = Annotated[str, OneOf(tuple(FORMATS))]
Prefix = Annotated[str, Query(max_length=1000)]

router = APIRouter(route_class=DocumentedRoute)


@router.get(
    "/api/export",
    summary="The answers as a file, with the images where the format holds them",
    response_class=Response,
    responses=file_answer(*sorted({made.media_type for made in FORMATS.values()})),
)
def export(
    run: TheRun,
    settings: TheSettings,
    labels: TheLabels,
    turns: TheTurns,
    format: FormatName = "csv",
    label: Label | None = None,
    prefix: Prefix = LOCAL_FILES,
    roll_up: bool = False,
    exif: bool = True,
) -> Response:
    """Stream the answers as they are now, however long the download takes."""
    if roll_up and not settings.tile:
        raise HTTPException(422, NO_TILES)
    if len(turns.exports) >= EXPORTS_AT_ONCE:
        raise HTTPException(503, f"{EXPORTS_AT_ONCE} downloads are under way; try again when one has ended.")
    made = FORMATS[format]
    source = _source(labels, settings, label, prefix, roll_up, made.tree is not None)
    lines = made.lines(replace(source, reads_exif=exif))
    chosen = f"{'photos-' if roll_up else ''}{f'{label}-' if label else ''}"
    return _Export(_first_at_once(lines), made.media_type, f"{run.name}-{chosen}{made.ending}", turns)


def _route_of(scheme: Scheme) -> None:
    """Add the route of the file that another program needs beside the answers."""

    @router.get(
        f"/api/export/{scheme.ending}",
        summary="What the other program needs beside the answers, such as a labelling config",
        response_class=Response,
        responses=file_answer(scheme.media_type),
    )
    def scheme_file(run: TheRun, settings: TheSettings, roll_up: bool = False) -> Response:
        """Describe the question to the other program."""
        content = scheme.content(settings.positive, settings.negative, settings.tile != "" and not roll_up)
        return Response(content, media_type=scheme.media_type, headers=_attachment(f"{run.name}-{scheme.ending}"))


for _format in FORMATS.values():
    if _format.scheme is not None:
        _route_of(_format.scheme)


@router.get(
    "/api/predictor",
    summary="The predictor as it is now",
    response_class=StreamingResponse,
    responses=file_answer("application/octet-stream"),
)
def predictor(run: TheRun) -> Response:
    """Send predictor.ckpt; the open file stays whole while a newer one replaces it."""
    try:
        file = (run / PREDICTOR).open("rb")
    except OSError:
        raise HTTPException(404, "There is no predictor yet; it needs a positive and a negative answer.") from None
    return _Download(file, PREDICTOR)


def _first_at_once(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of an export, with its first line as one: on a slow disk it may take long to fill one."""
    yield from islice(lines, 1)
    yield from pieces(lines)


def _source(labels: Labels, settings: Settings, label: Label | None, prefix: str, roll_up: bool, tree: bool) -> Source:
    """The answers to images or, rolled up, the answers to photos that follow from those to their tiles."""
    by_path = tree and settings.tile != ""
    answers = RolledUp(labels.stored.moment(), label) if roll_up else labels.stored.moment(label, by_path)
    datadir = Path(settings.datadir)
    pictures = Pictures(datadir, settings.bounds(datadir))
    return Source(answers, settings.positive, settings.negative, pictures, label, prefix, is_rolled_up=roll_up)


class _Export(StreamingResponse):
    """An export that is made as it is read, in threads of its own kind, and that ends with the download."""

    def __init__(self, content: Iterator[bytes], media_type: str, name: str, turns: Turns) -> None:
        self._content = content
        self._turns = turns
        super().__init__(self._made(), media_type=media_type, headers=_attachment(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._turns.exports.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._turns.exports.discard(self)
            self._content.close()  # type: ignore[attr-defined]  # a generator

    async def _made(self) -> AsyncIterator[bytes]:
        while piece := await to_thread.run_sync(next, self._content, b"", limiter=self._turns.export_threads):
            yield piece


class _Download(StreamingResponse):
    """A file that is open already, and closed however the download ends."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        headers = _attachment(name) | {"content-length": str(os.fstat(file.fileno()).st_size)}
        chunks = iter(partial(file.read, CHUNK_BYTES), b"")
        super().__init__(chunks, media_type="application/octet-stream", headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(os.fsencode(name))}"}
