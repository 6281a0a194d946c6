"""Runs the annotation server of one session until it is signalled."""

import logging
import os
import socket
import sys
import threading

import uvicorn

from backend import instructions
from backend.access import TOKEN, token_of
from backend.app import create_app
from backend.checks import check_place, check_run, listen
from backend.session import Session
from config import Config, UsageError
from IA.loop import until_signalled
from IA.protocol import ANNOTATIONS, IMAGES, SETTINGS

log = logging.getLogger(__name__)

GRACE_S = 2
WRITES = (SETTINGS.name, IMAGES.name, ANNOTATIONS.name, instructions.NAME, TOKEN)


def _end(failure: threading.ExceptHookArgs) -> None:
    """A server without one of its threads would take no answers: end, and be started again."""
    log.critical("%s failed", failure.thread, exc_info=failure.exc_value)
    os._exit(1)


class _Server(uvicorn.Server):
    """Ends the event streams first: they would keep it waiting."""

    session: Session

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down, once the signal that asked for it has been handled."""
        self.session.end_streams()
        await super().shutdown(sockets)


def serve() -> None:
    """Serve the session that the command line or the supervisor's environment describes."""
    config = Config.from_environment() if len(sys.argv) == 1 else Config.for_session(sys.argv[1:])
    if config is None:
        raise UsageError("Nothing says what to serve; give HOST PORT DATADIR, see bash launch.sh --help.")
    threading.excepthook = _end
    if len(sys.argv) > 1:  # the supervisor has checked; a disk that went away since then must not end the session
        check_place(config)
    check_run(config)
    listener = listen(config)
    with until_signalled("server", config.run, *WRITES):
        session = Session(config)
        app = create_app(session, token_of(config.run) if config.token else None)
        server = _Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE_S, server_header=False
            )
        )
        server.session = session
        log.info("serving %s on http://%s:%d", config.datadir, config.address, config.port)
        server.run([listener])
