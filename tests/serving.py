"""A real annotation server on a real port, in a thread of the test process."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import uvicorn

from backend.app import create_app
from backend.runs.checks import listen
from backend.session.session import Session
from backend.web.connections import served
from config import Config
from tests.wire import Checked

DEADLINE_S = 20.0


@dataclass
class Serving:
    """A server and a client that talks to it."""

    session: Session
    client: httpx.Client

    def answer(self, image: int, label: str = "positive", **more: object) -> httpx.Response:
        """Post an answer."""
        return self.client.post("/api/annotations", json={"image": image, "label": label, **more})


@contextlib.contextmanager
def serving(run: Path, datadir: Path, token: str | None = None, **settings: object) -> Iterator[Serving]:
    """Serve a folder until the block ends; then every answer must have been as the OpenAPI document has it."""
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
    server = uvicorn.Server(served(app))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{config.port}", timeout=DEADLINE_S, trust_env=False) as client:
            until(lambda: server.started)
            yield Serving(session, client)
    finally:
        session.end_streams()
        server.should_exit = True
        thread.join()
    assert not app.differences, app.differences[:5]


def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a condition; fails when it does not come true."""
    ends_s = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > ends_s:
            raise AssertionError("the condition did not come true in time")
        time.sleep(0.01)  # between two looks at a condition, not instead of one
