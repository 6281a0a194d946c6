"""The routes that hand out what a person takes home: the answers in any format, and the predictor."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from backend.exports import FORMATS, pieces
from backend.exports.label_studio import config
from backend.exports.pictures import Pictures
from backend.exports.roll_up import RolledUp
from backend.exports.source import LOCAL_FILES, Source
from backend.session.session import Session
from backend.store.table import Label
from backend.web.bodies import OneOf
from IA.protocol.files import PREDICTOR

CHUNK_BYTES = 1 << 16  # each download that nobody reads keeps one
THREADS = 4  # that exports may take together: those of answers and pictures stay free, however slow a disk is
EXPORTS_AT_ONCE = 16  # each keeps some megabytes
NO_TILES = "Answers are rolled up only in a session that was started with --tile."

FormatName = Annotated[str, OneOf(tuple(FORMATS))]
Prefix = Annotated[str, Query(max_length=1000)]


def add_download_routes(app: FastAPI, session: Session) -> None:
    """Add them to the app of a session."""
    threads = CapacityLimiter(THREADS)
    under_way: set[object] = set()

    @app.get("/api/export", summary="The answers as a file, with the images where the format holds them")
    def export(
        format: FormatName = "csv",
        label: Label | None = None,
        prefix: Prefix = LOCAL_FILES,
        roll_up: bool = False,
        exif: bool = True,
    ) -> _Export:
        if roll_up and not session.settings.tile:
            raise HTTPException(422, NO_TILES)
        if len(under_way) >= EXPORTS_AT_ONCE:
            raise HTTPException(503, f"{EXPORTS_AT_ONCE} downloads are under way; try again when one has ended.")
        made = FORMATS[format]
        by_path = made.tree is not None and session.settings.tile != ""
        source = _photos(session, label, prefix) if roll_up else _source(session, label, prefix, by_path)
        lines = made.lines(replace(source, reads_exif=exif))
        chosen = f"{'photos-' if roll_up else ''}{f'{label}-' if label else ''}"
        name = f"{session.run.name}-{chosen}{made.ending}"
        return _Export(_first_at_once(lines), made.media_type, name, threads, under_way)

    @app.get("/api/export/label-studio.xml", summary="The labelling config for the tasks in Label Studio's format")
    def labelling_config(roll_up: bool = False) -> Response:
        name = f"{session.run.name}-label-studio.xml"
        settings = session.settings
        content = config(settings.positive, settings.negative, settings.tile != "" and not roll_up)
        return Response(content, media_type="application/xml", headers=_attachment(name))

    @app.get("/api/predictor", summary="The predictor as it is now", response_class=StreamingResponse)
    def predictor() -> _Download:
        try:
            file = (session.run / PREDICTOR).open("rb")  # the open file stays whole while a newer one replaces it
        except OSError:
            raise HTTPException(404, "There is no predictor yet; it needs a positive and a negative answer.") from None
        return _Download(file, PREDICTOR)


def _first_at_once(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of an export, with its first line as one: on a slow disk it may take long to fill one."""
    yield from islice(lines, 1)
    yield from pieces(lines)


def _source(session: Session, label: Label | None, prefix: str, by_path: bool) -> Source:
    answers = session.labels.stored.moment(label, by_path)
    return Source(answers, *_names(session), _pictures(session), label, prefix)


def _photos(session: Session, label: Label | None, prefix: str) -> Source:
    """The same of photos, by the answers to their tiles."""
    answers = RolledUp(session.labels.stored.moment(), label)
    return Source(answers, *_names(session), _pictures(session), label, prefix, is_rolled_up=True)


def _names(session: Session) -> tuple[str, str]:
    return session.settings.positive, session.settings.negative


def _pictures(session: Session) -> Pictures:
    datadir = Path(session.settings.datadir)
    return Pictures(datadir, session.settings.bounds(datadir))


class _Export(StreamingResponse):
    """An export that is made as it is read, in threads of its own kind, and that ends with the download."""

    def __init__(
        self, content: Iterator[bytes], media_type: str, name: str, threads: CapacityLimiter, under_way: set[object]
    ) -> None:
        self._content = content
        self._threads = threads
        self._under_way = under_way
        super().__init__(self._made(), media_type=media_type, headers=_attachment(name))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._under_way.add(self)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._under_way.discard(self)
            self._content.close()  # type: ignore[attr-defined]  # a generator

    async def _made(self) -> AsyncIterator[bytes]:
        while piece := await to_thread.run_sync(next, self._content, b"", limiter=self._threads):
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
