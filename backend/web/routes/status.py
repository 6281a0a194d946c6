"""The routes of the status: once, and as a stream of events whenever it changes."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from backend.session.session import Session
from backend.web import shapes
from backend.web.documented import DocumentedRoute
from backend.web.page import program
from backend.web.parts import TheSession
from backend.wire.status import Status

EVENTS_PAUSE_S = 0.1
EVENTS_QUIET_S = 10.0  # Proxies wait longer (nginx: 60 s); the page takes a stream for dead after 25 s of silence.
EVENTS_HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}  # Else a proxy holds it back.

EVENTS_SCHEMA = {
    "type": "string",
    "description": "Events named `status`, each with the status in JSON as its data, and events named `beat` without.",
    "contentMediaType": "application/json",
    "contentSchema": {"$ref": "#/components/schemas/Status"},
}

router = APIRouter(route_class=DocumentedRoute)


class StatusText:
    """The status as text, made once for all event streams whenever something has changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._count, self._text = -1, ""

    def now(self) -> str:
        """The status as it is now."""
        return json.dumps(_status(self._session))

    def after_change(self) -> str:
        """The status as it was after the last change."""
        count = self._session.changes.count
        if count != self._count:
            self._count, self._text = count, self.now()
        return self._text


async def _text(request: Request) -> StatusText:
    text: StatusText = request.app.state.status_text
    return text


@router.get("/api/status", summary="Counts, model, ranking and loops")
async def status(session: TheSession) -> Status:
    """Show the run as it is now."""
    return _status(session)


@router.get(
    "/api/events",
    summary="The status, whenever it changes",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": EVENTS_SCHEMA}}}},
)
async def events(session: TheSession, text: Annotated[StatusText, Depends(_text)]) -> StreamingResponse:
    """Send the status at once and after changes, and a beat in quiet times."""

    async def stream() -> AsyncIterator[str]:
        sent = ""
        async for changed in session.changes.stream(EVENTS_PAUSE_S, EVENTS_QUIET_S):
            if session.is_ending:
                return
            now = text.after_change() if changed and sent else text.now()
            if now != sent:
                sent = now
                yield f"event: status\ndata: {now}\n\n"
            elif not changed:
                yield "event: beat\ndata:\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers=EVENTS_HEADERS)


def _status(session: Session) -> Status:
    """What the page shows of the run, and which version of the page the server has by now."""
    return {**shapes.status(session), "page": program()}
