"""The app of the annotation server: its routes, and what every mistake is answered with."""

import asyncio
import errno
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Header, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from backend.images.uploads import MOST_BYTES
from backend.session.session import Session
from backend.store.database import NotDurableError
from backend.store.table import NothingToUndoError
from backend.web.access import Access
from backend.web.bodies import AuditBody, Client, Number, ReleaseBody, StrategyBody
from backend.web.refusals import sentence
from backend.web.routes import choices
from backend.web.routes import imports as import_routes
from backend.web.routes import uploads as upload_routes
from backend.web.routes.annotations import add_answer_routes
from backend.web.routes.downloads import add_download_routes
from backend.web.routes.finish import add_finish_routes
from backend.web.routes.imports import add_import_routes
from backend.web.routes.pages import FOR_GOOD, add_page_routes, program
from backend.web.routes.similar import add_like_routes
from backend.web.routes.slips import add_slip_routes
from backend.web.routes.uploads import add_upload_route
from backend.web.tensorboard import TensorBoard
from IA.images.pictures import UnreadableError

EVENTS_PAUSE_S = 0.1
EVENTS_QUIET_S = 10.0  # less than any proxy waits (nginx: 60 s), and the page takes 25 s of silence for a dead stream
EVENTS_HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}  # else a proxy keeps them back
NO_PAGE = "There is no such page. A proxy must take its own path away: nginx, proxy_pass with a slash at its end."
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # says nothing of the file that was to be opened
PICTURES_AT_ONCE = 16  # threads that may wait for one: some are left for answers, however long decoding takes


def create_app(session: Session, token: str | None) -> FastAPI:
    """The server of one session.

    Args:
        session: the run; it is started and closed with the app.
        token: what everybody must show; None: nothing.
    """
    tensorboard = TensorBoard(session.config.port + 1, token)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        session.start()
        yield
        await tensorboard.close()
        await asyncio.to_thread(session.close)

    app = FastAPI(
        title="Intelligent Annotation",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        servers=[{"url": ".."}],  # seen from openapi.json, also below a path
        redirect_slashes=False,  # it names the host
    )
    _answer_mistakes(app)
    add_answer_routes(app, session)
    add_import_routes(app, session)
    add_upload_route(app, session)
    add_finish_routes(app, session)
    add_slip_routes(app, session)
    add_like_routes(app, session)
    limits = {import_routes.PATH: import_routes.MOST_BYTES}
    if session.uploads is not None:
        limits[upload_routes.PATH] = MOST_BYTES
    # after that: what is added last is asked first
    app.add_middleware(Access, config=session.config, token=token, limits=limits)
    _add_images(app, session)
    _add_explanations(app, session)
    _add_status(app, session)
    add_download_routes(app, session)
    app.include_router(choices.ROUTER)
    add_page_routes(app)

    @app.get("/tensorboard", include_in_schema=False)
    def without_slash() -> Response:
        return RedirectResponse("tensorboard/")

    @app.api_route("/tensorboard/{path:path}", methods=["GET", "POST"], include_in_schema=False)
    async def to_tensorboard(request: Request) -> Response:
        if not session.config.tensorboard:
            raise HTTPException(404, "TensorBoard is off in this session.")
        return await tensorboard.answer(request)

    return app


def _answer_mistakes(app: FastAPI) -> None:
    """One sentence for each kind of trouble; never what was sent, never a traceback."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]).encode("ascii", "replace").decode()
        message = str(first["msg"]).encode("ascii", "replace").decode()
        return JSONResponse({"detail": f"{place[:100]}: {message[:200]}."}, 422)

    @app.exception_handler(NotDurableError)
    async def not_durable(_: Request, error: NotDurableError) -> JSONResponse:
        return JSONResponse({"detail": f"The answer could not be stored ({error}); it does not count yet."}, 503)

    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    @app.exception_handler(MemoryError)
    async def not_now(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"This machine cannot do that now ({_reason(error)}); try again."}, 503)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> Response:
        is_nowhere = error.status_code == 404 and error.detail == HTTPStatus.NOT_FOUND.phrase  # no route has said it
        response = sentence(error.status_code, NO_PAGE if is_nowhere else error.detail, request.headers)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(NothingToUndoError)
    async def nothing_to_undo(_: Request, error: NothingToUndoError) -> JSONResponse:
        return JSONResponse({"detail": "There is no answer of yours left to take back."}, 409)


def _add_images(app: FastAPI, session: Session) -> None:
    @app.get("/api/queue", summary="The images to answer next, best first")
    def queue(count: Annotated[int, Query(ge=1, le=100)] = 8, client: Client = "api") -> dict[str, Any]:
        return session.next(client, count)

    @app.post("/api/queue/release", status_code=204, summary="Hand back what this client was given: it has gone")
    def release(body: ReleaseBody) -> None:
        session.queue.release(body.client)

    pictures = CapacityLimiter(PICTURES_AT_ONCE)

    @app.get(
        "/api/images/{image}",
        summary="One image for display, upright; or the photo of a tile",
        response_class=Response,
    )
    async def picture(
        image: Number,
        size: Annotated[int | None, Query(ge=1, le=65535)] = None,
        version: str | None = None,
        whole: bool = False,
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        return await to_thread.run_sync(answer, image, size, whole, if_none_match, limiter=pictures)

    def answer(image: int, size: int | None, whole: bool, if_none_match: str) -> Response:
        try:
            tag = session.tag(image, size, whole)
            headers = {"cache-control": FOR_GOOD, "etag": f'"{tag}"'}
            if f'"{tag}"' in if_none_match:
                return Response(status_code=304, headers=headers)
            shown = session.render(image, size, whole)
            is_same = tag == session.tag(image, size, whole)  # else the file was replaced meanwhile
        except UnreadableError as error:
            raise HTTPException(415, f"This image cannot be shown. {error}") from None
        except OSError as error:
            if error.errno in EXHAUSTED:
                raise
            raise HTTPException(404, f"There is no image {image}, or its file is away.") from None
        told = {"x-damage": quote(shown.damage)} if shown.damage else {}
        return Response(shown.content, media_type=shown.media_type, headers=(headers if is_same else {}) | told)


def _add_explanations(app: FastAPI, session: Session) -> None:
    @app.get("/api/explanation/{image}", summary="Why the model thinks so, of one of the next images")
    def explanation(image: Number) -> dict[str, Any]:
        told = session.explanation(image)
        if told is None:
            raise HTTPException(404, "There is no explanation of this image; they are made for the next 24 images.")
        return told


def _status(session: Session) -> dict[str, Any]:
    """What the page shows of the run, and which page that is by now."""
    return {**session.status(), "page": program()}


class _Told:
    """The status as text, made once for all event streams whenever something has changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._count, self._text = -1, ""

    def status(self) -> str:
        count = self._session.changes.count
        if count != self._count:
            self._count, self._text = count, json.dumps(_status(self._session))
        return self._text


def _add_status(app: FastAPI, session: Session) -> None:
    told = _Told(session)

    @app.get("/api/status", summary="Counts, model, ranking and loops")
    async def status() -> dict[str, Any]:
        return _status(session)

    @app.get("/api/events", summary="The status, whenever it changes", response_class=StreamingResponse)
    async def events() -> StreamingResponse:
        async def stream() -> AsyncIterator[str]:
            sent = ""
            async for changed in session.changes.stream(EVENTS_PAUSE_S, EVENTS_QUIET_S):
                if session.is_ending:
                    return
                status = told.status() if changed and sent else json.dumps(_status(session))
                if status != sent:
                    sent = status
                    yield f"event: status\ndata: {status}\n\n"
                elif not changed:
                    yield "event: beat\ndata:\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream", headers=EVENTS_HEADERS)

    @app.get("/api/instructions", summary="What the person who started says of the question")
    def instructions() -> dict[str, str | None]:
        return {"text": session.instructions.text}

    @app.put("/api/strategy", summary="Order by another strategy from now on")
    def strategy(body: StrategyBody) -> dict[str, str]:
        try:
            session.strategy(body.strategy)
        except OSError as error:
            raise HTTPException(503, f"The strategy could not be stored ({error.strerror}).") from None
        return {"strategy": body.strategy}

    @app.put("/api/audit", summary="Draw another share at random; 1: until so many are answered, else the certificate")
    def audit(body: AuditBody) -> dict[str, Any]:
        try:
            session.set_audit(body.share, body.recall, body.confidence, body.until)
        except OSError as error:
            raise HTTPException(503, f"The share could not be stored ({error.strerror}).") from None
        return session.audit_status()


def _reason(error: Exception) -> str:
    """What the system says, without the names of files."""
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
