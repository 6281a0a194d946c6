"""Runs the annotation server of one session until it is signalled."""

import contextlib
import logging
import os
import resource
import socket
import sys
import threading
from functools import partial

import uvicorn

from backend.app import create_app
from backend.runs import instructions
from backend.runs.checks import check_place, check_run, exposed, listen
from backend.runs.choice import find_run, why_not_first
from backend.runs.question import renaming
from backend.session.scores import check_given_scores
from backend.session.session import Session
from backend.web.access import TOKEN, keep_token, token_of
from backend.web.connections import served
from config import COMMAND, Config, UsageError
from IA.process.loop import until_signalled
from IA.protocol import locks
from IA.protocol.files import ANNOTATIONS, AUDIT, IMAGES, SCORES, SETTINGS

log = logging.getLogger(__name__)

FILES_AT_MOST = 4096
WRITES = (SETTINGS.name, IMAGES.name, ANNOTATIONS.name, AUDIT.name, SCORES.name, instructions.NAME, TOKEN)


def _end(failure: threading.ExceptHookArgs) -> None:
    """End the process, because a server that has lost a thread takes no answers; the supervisor starts it again."""
    log.critical("%s failed", failure.thread, exc_info=failure.exc_value)
    os._exit(1)


def _allow_files() -> None:
    """Let more files be open at once, for connections, pictures and databases; some systems begin with 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_AT_MOST if hard == resource.RLIM_INFINITY else min(FILES_AT_MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    """Ends the event streams first, because they would keep the shutdown waiting."""

    session: Session

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down, once the signal that asked for it has been handled."""
        self.session.end_streams()
        await super().shutdown(sockets)


def serve() -> None:
    """Serve the session that the command line or the supervisor's environment describes."""
    config = Config.from_environment() if len(sys.argv) == 1 else Config.for_session(sys.argv[1:])
    if config is None:
        raise UsageError(f"Nothing says what to serve; give HOST PORT DATADIR, see {COMMAND} --help.")
    threading.excepthook = _end
    notes = ""
    if len(sys.argv) > 1:
        # The supervisor has done these checks for its server; a disk that goes away later must not end the session.
        first = config.run
        config = find_run(config)
        check_place(config)
        check_given_scores(config)
        notes = why_not_first(config, first) + renaming(config) + exposed(config)
    check_run(config)
    sys.stderr.write(notes)
    _allow_files()
    listener = listen(config)
    with until_signalled("server", config.run, *WRITES):
        session = Session(config)
        token = token_of(config.run) if config.token else None
        session.on_return.insert(0, locks.renew)
        if token is not None:
            session.on_return.append(partial(keep_token, config.run, token))
        app = create_app(session, token)
        server = _Server(served(app))
        server.session = session
        log.info("serving %s on http://%s:%d", config.datadir, config.address, config.port)
        server.run([listener])
