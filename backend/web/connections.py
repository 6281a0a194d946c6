"""How connections are served: one that neither asks for something nor reads the answer loses its place."""

import asyncio
import socket
import struct
from typing import cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_AT_MOST = 512
BACKLOG = 256  # connections accepted in one go, beyond those that are open already
HEAD_BYTES = 32 * 1024
REQUEST_S = 20.0
STALL_S = 60.0
GRACE_S = 2
NOTHING_LEFT = struct.pack("ii", 1, 0)  # Without it the system would keep what nobody reads.
ASKING = frozenset({h11.IDLE, h11.SEND_BODY})


class Connection(H11Protocol):
    """A connection that is closed when its request is not complete in time, or its answer is not read.

    When all places are taken, a new connection gets the place of the one that has been sending its request for
    longest. Clients send a request within milliseconds; whoever holds connections open takes only their own places.
    """

    _due: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, if necessary that of another connection."""
        if len(self.connections) >= CONNECTIONS_AT_MOST:
            self._make_room()
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Read on; end the timer once the request is complete."""
        super().data_received(data)
        self._expect()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._expect()

    def pause_writing(self) -> None:
        """Wait for the peer to read what is on its way, but for `STALL_S` at most."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_S, self._drop)

    def resume_writing(self) -> None:
        """Go on, because the peer has read."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        super().connection_lost(exc)
        for timer in (self._due, self._stalled):
            if timer is not None:
                timer.cancel()

    @property
    def age(self) -> tuple[bool, float]:
        """Sort key for eviction: connections still sending a request, oldest first."""
        return self.conn.their_state not in ASKING, self._since_s

    def _expect(self) -> None:
        """Run a timer from when a request may come until it is complete; another byte does not set it back."""
        if self.conn.their_state not in ASKING:
            if self._due is not None:
                self._due.cancel()
                self._due = None
        elif self._due is None:
            self._since_s = self.loop.time()
            self._due = self.loop.call_later(REQUEST_S, self._drop)

    def _make_room(self) -> None:
        oldest = min(cast("set[Connection]", self.connections), key=lambda connection: connection.age)
        self.connections.discard(oldest)
        oldest._drop()

    def _drop(self) -> None:
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOTHING_LEFT)
        self.transport.abort()


def served(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves our app: plain HTTP, no web sockets, and no headers of a proxy are trusted."""
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        backlog=BACKLOG,
        h11_max_incomplete_event_size=HEAD_BYTES,
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
