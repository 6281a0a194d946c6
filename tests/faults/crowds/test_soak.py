"""Nothing is left open: descriptors and threads of the server are the same after many requests of each kind."""

import json
import socket
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.faults.soak import Slope, slope_of
from tests.processes.suite import Suite, running
from tests.serving import until

TIMES = 200
IMAGES = 12
ASKED: Sequence[tuple[str, str, object, int]] = [  # how, what, with which body, and the status of the answer
    ("GET", "/", None, 200),
    ("GET", "/?token=wrong", None, 200),
    ("GET", "/assets/none.js", None, 404),
    ("GET", "/api/status", None, 200),
    ("GET", "/api/queue?count=8&client=me", None, 200),
    ("GET", "/api/images/3?size=32", None, 200),
    ("GET", "/api/images/3", None, 200),
    ("GET", "/api/images/9999", None, 404),
    ("POST", "/api/annotations", {"image": 1, "label": "positive", "client": "me"}, 201),
    ("POST", "/api/annotations", {"image": 9999, "label": "positive"}, 404),
    ("POST", "/api/annotations", {"image": 1, "label": "perhaps"}, 422),
    ("POST", "/api/annotations/batch", {"annotations": [{"image": 2, "label": "skipped", "client": "you"}]}, 201),
    ("POST", "/api/annotations", "x" * 70_000, 413),
    ("POST", "/api/undo", {"client": "me"}, 200),
    ("POST", "/api/undo", {"client": "nobody"}, 409),
    ("GET", "/api/annotations?limit=5", None, 200),
    ("GET", "/api/annotations?order=suspicious&limit=5", None, 200),
    ("GET", "/api/statistics", None, 200),
    ("GET", "/api/export?format=csv", None, 200),
    ("GET", "/api/predictor", None, 404),
    ("GET", "/tensorboard/", None, 404),
]


def ask(connection: HTTPConnection, method: str, path: str, body: object, token: str) -> int:
    """One request, its answer read; http.client is lean, and there are thousands."""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    response.read()
    return response.status


def ask_all(suite: Suite, connection: HTTPConnection) -> None:
    """One request of each kind, an event stream, and a connection that breaks off in its request."""
    token = httpx.URL(suite.link).params["token"]
    for method, path, body, status in ASKED:
        assert ask(connection, method, path, body, token) == status, (method, path)
    assert ask(connection, "GET", "/api/status", None, "wrong") == 401
    for rest in (b"GET /api/events HTTP/1.1\r\n", b"POST /api/annotations HTTP/1.1\r\nContent-Length: 90\r\n"):
        with socket.create_connection(("127.0.0.1", suite.port), 20) as broken:
            broken.sendall(rest + f"Host: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            if rest.startswith(b"GET"):
                assert broken.recv(1000).startswith(b"HTTP/1.1 200")


def open_now(pid: int) -> tuple[int, int]:
    """How many descriptors and threads the process has."""
    process = Path(f"/proc/{pid}")
    return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))


@pytest.mark.slow
def test_nothing_is_left_open(tmp_path: Path) -> None:
    """200 requests of each kind leave no descriptor and no thread behind, whether they are answered or refused."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(IMAGES):
        Image.new("RGB", (64, 48), (20 * number, 90, 120)).save(folder / f"{number}.jpg")
    with running(tmp_path / "run", folder, "--no-ai") as suite:
        until(lambda: not suite.status()["listing"])
        connection = HTTPConnection("127.0.0.1", suite.port, timeout=20)
        for _ in range(10):
            ask_all(suite, connection)
        pid = suite.pid_of("backend")
        before = open_now(pid)
        for _ in range(TIMES):
            ask_all(suite, connection)

        def is_as_before() -> bool:
            suite.client.get("/api/queue").raise_for_status()  # at that threads end that had nothing to do for 10 s
            return all(now <= then for now, then in zip(open_now(pid), before, strict=True))

        until(is_as_before, 40)
        connection.close()
        assert suite.pid_of("backend") == pid


def test_a_leak_is_noticed() -> None:
    """A megabyte and a half in an hour shows through what is taken for a moment; steady use is no slope."""
    at_h = [number / 1800 for number in range(1, 601)]
    taken = [100 + (7 if number % 3 else 0) for number in range(600)]
    assert slope_of(at_h, [float(memory) for memory in taken]) == Slope(0, 0, 0)
    leak = slope_of(at_h, [memory + 1.5 * at for memory, at in zip(taken, at_h, strict=True)])
    assert leak.value == pytest.approx(1.5, abs=0.01)
