"""Many connections that are held open without asking for anything, or without reading what was asked for."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator

from tests.faults.intrusion.hostile import request

EVERY_S = 1.0
CONNECT_S = 5.0


class Crowd:
    """Connections to a server on this machine."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._held: list[socket.socket] = []

    def grow(self, count: int, first: bytes) -> None:
        """Open so many more, each of which sends this and then no more; fewer where the server takes no more."""
        for _ in range(count):
            connection = socket.socket()
            connection.settimeout(CONNECT_S)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self._held.append(connection)
            try:
                connection.connect(self._address)
                connection.setblocking(False)
                self._send(connection, first)
            except TimeoutError:
                return  # no more are taken
            except ConnectionError:
                continue  # it had to make room at once

    def forget(self, kept: int) -> None:
        """Let all go but so many of the latest."""
        gone = self._held[:-kept]
        self._held = self._held[-kept:]
        for connection in gone:
            connection.close()

    @contextlib.contextmanager
    def dribbling(self) -> Iterator[None]:
        """Have each send a byte a second, as in a header that never ends."""
        stop = threading.Event()

        def dribble() -> None:
            while not stop.wait(EVERY_S):
                for connection in self._held:
                    self._send(connection, b"a")

        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def open(self) -> int:
        """How many the server has not closed."""
        poll = select.poll()
        for connection in self._held:
            poll.register(connection, select.POLLIN | select.POLLRDHUP)
        closed = {number for number, event in poll.poll(0) if event & (select.POLLRDHUP | select.POLLHUP)}
        return len(self._held) - len(closed)

    def close(self) -> None:
        """Let them all go."""
        for connection in self._held:
            connection.close()
        self._held.clear()

    def _send(self, connection: socket.socket, content: bytes) -> None:
        with contextlib.suppress(OSError):  # the server has closed it, or reads no more
            connection.send(content)


def kinds(port: int, token: str) -> dict[str, bytes]:
    """What to send first, by what such a connection does then; the run needs a predictor of some megabytes."""
    bearer = {"authorization": f"Bearer {token}"}
    unended = request(port, headers=bearer)[:-2]
    body = request(port, "/api/annotations", "POST", b"{", {"content-length": "1000"} | bearer)
    stranger = request(port, "/api/annotations", "POST", b"{", {"content-length": "1000"})
    return {
        "say nothing": b"",
        "send a byte a second": unended + b"A: ",
        "never end their headers": unended + b"A: b\r\n",
        "send half a body": body,
        "send half a body, without the token": stranger,
        "stay after their answer": request(port, headers=bearer),
        "never read their answers": request(port, "/api/predictor", headers=bearer),
        "never read their events": request(port, "/api/events", headers=bearer),
    }


def slowest_s(port: int, token: str, count: int) -> float:
    """The longest wait of somebody who opens a connection for each answer and each look at the counts.

    Raises:
        OSError: there was no answer.
    """
    bearer = {"authorization": f"Bearer {token}"}
    answer = request(port, "/api/annotations", "POST", b'{"image": 0, "label": "positive"}', bearer)
    longest_s = 0.0
    for number in range(count):
        asked = answer if number % 2 else request(port, headers=bearer)
        started_s = time.monotonic()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(asked)
            status = connection.recv(65536)
        longest_s = max(longest_s, time.monotonic() - started_s)
        if not status.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise OSError(f"answered with {status[:80]!r}")
    return longest_s
