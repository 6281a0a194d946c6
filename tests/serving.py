"""A real annotation server on a real port, in a thread of the test process."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvicorn
from PIL import Image

from backend.app import create_app
from backend.runs.checks import listen
from backend.session.session import Session
from backend.web.connections import GRACE_S, served
from config import Config
from tests.wire import Checked

DEADLINE_S = 20.0
LOOK_S = 0.01


@dataclass
class Serving:
    """A server and a client that talks to it."""

    session: Session
    client: httpx.Client

    def answer(self, image: int, label: str = "positive", **more: object) -> httpx.Response:
        """Post an answer."""
        return self.client.post("/api/annotations", json={"image": image, "label": label, **more})


def small_pictures(folder: Path, count: int, step: int = 8) -> Path:
    """So many pictures of a colour each, 00.png and so on, in a new folder; the folder."""
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (8, 6), (step * number, 0, 0)).save(folder / f"{number:02d}.png")
    return folder


class PromptServer(uvicorn.Server):
    """Ends like uvicorn's own server, but checks more often whether it may: uvicorn spends 0.2 s on each end."""

    async def main_loop(self) -> None:
        """Serve until the test is over."""
        while not self.should_exit:
            await asyncio.sleep(LOOK_S)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, answer the requests under way, then end the app."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        ends_s = time.monotonic() + GRACE_S
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < ends_s:
            await asyncio.sleep(LOOK_S)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


@contextlib.contextmanager
def serving(run: Path, datadir: Path, token: str | None = None, **settings: object) -> Iterator[Serving]:
    """Serve a folder until the block ends, and then check that every response agreed with the OpenAPI document."""
    given = {
        "run": run,
        "datadir": datadir.resolve(),
        "port": 0,
        "ai": False,
        "tensorboard": False,
        "audit": 0.0,
    } | settings
    config = Config(**given)  # type: ignore[arg-type]
    run.mkdir(parents=True, exist_ok=True)
    listener = listen(config)
    config = replace(config, port=listener.getsockname()[1])
    session = Session(config)
    app = Checked(create_app(session, token))
    server = PromptServer(served(app))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    address = f"http://127.0.0.1:{config.port}"
    try:
        # Nothing is encrypted here, and reading the system's certificates takes longer than most tests.
        with httpx.Client(base_url=address, timeout=DEADLINE_S, trust_env=False, verify=False) as client:
            until(lambda: server.started)
            yield Serving(session, client)
    finally:
        session.end_streams()
        server.should_exit = True
        thread.join()
    assert not app.differences, app.differences[:5]


def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition, or fail after the deadline; a condition whose file is missing is not true yet."""
    ends_s = time.monotonic() + deadline_s
    while not _holds(condition):
        if time.monotonic() > ends_s:
            raise AssertionError("the condition did not come true in time")
        time.sleep(LOOK_S)  # between two looks at a condition, not instead of one


def _holds(condition: Callable[[], object]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return bool(condition())
    return False
