"""More like this, as asked of inference: the last wish, and who waits for the answer."""

import contextlib
import threading
import uuid
from concurrent.futures import Future, InvalidStateError
from pathlib import Path

from IA.protocol.files import WANTED
from IA.protocol.pickle_file import Version, publish
from IA.protocol.records import Similar, Wanted


class SupersededError(Exception):
    """Something else is wanted by now."""


class Likes:
    """The last wish, and who waits for the answer; every method may be called from any thread."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: tuple[str, Future[Similar]] = ("", Future())

    def ask(self, image: int) -> "Future[Similar]":
        """Ask inference; whoever waited until now gets a SupersededError.

        Raises:
            OSError: that cannot be published.
        """
        request, answer = uuid.uuid4().hex, Future[Similar]()
        with self._lock:
            with contextlib.suppress(InvalidStateError):
                self._waiting[1].set_exception(SupersededError())
            self._waiting = request, answer
            publish(self._run, WANTED, Wanted(image, request))
        return answer

    def take(self, version: Version[Similar] | None) -> None:
        """Take up what inference has answered."""
        with self._lock, contextlib.suppress(InvalidStateError):
            if version is not None and version.content.request == self._waiting[0]:
                self._waiting[1].set_result(version.content)
