"""What every mistake is answered with."""

import sqlite3
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from backend.store.database import NotDurableError
from backend.store.table import NothingToUndoError
from backend.web.refusals import sentence

NO_PAGE = "There is no such page. A proxy must take its own path away: nginx, proxy_pass with a slash at its end."


def answer_mistakes(app: FastAPI) -> None:
    """Answer each kind of trouble with one sentence: never with what was sent, and never with a traceback."""

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

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        is_nowhere = error.status_code == 404 and error.detail == HTTPStatus.NOT_FOUND.phrase  # no route has raised it
        response = sentence(error.status_code, NO_PAGE if is_nowhere else error.detail, request.headers)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(NothingToUndoError)
    async def nothing_to_undo(_: Request, error: NothingToUndoError) -> JSONResponse:
        return JSONResponse({"detail": "There is no answer of yours left to take back."}, 409)


def _reason(error: Exception) -> str:
    """What the operating system says, without the names of files."""
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
