"""The routes of the status: once, and as a stream of events whenever it changes."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from backend.session.session import Session
from backend.web import shapes
from backend.web.page import program
from backend.web.parts import TheSession

EVENTS_PAUSE_S = 0.1
EVENTS_QUIET_S = 10.0  # Proxies wait longer (nginx: 60 s); the page takes a stream for dead after 25 s of silence.
EVENTS_HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}  # Else a proxy holds it back.

router = APIRouter()


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
async def status(session: TheSession) -> dict[str, Any]:
    """Show the run as it is now."""
    return _status(session)


@router.get("/api/events", summary="The status, whenever it changes", response_class=StreamingResponse)
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


def _status(session: Session) -> dict[str, Any]:
    """What the page shows of the run, and which version of the page the server has by now."""
    return {**shapes.status(session), "page": program()}
