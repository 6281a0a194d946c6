"""The images most similar to one: inference is asked for them, and answers later."""

import contextlib
import threading
import uuid
from concurrent.futures import Future, InvalidStateError
from pathlib import Path

from IA.protocol.files import WANTED
from IA.protocol.pickle_file import Version, publish
from IA.protocol.shown import Similar, Wanted


class SupersededError(Exception):
    """A later question has taken the place of this one."""


class Likes:
    """The last question to inference, and who waits for its answer; every method may be called from any thread."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: tuple[str, Future[Similar]] = ("", Future())

    def ask(self, image: int) -> "Future[Similar]":
        """Ask inference for the images most similar to this one; whoever waited until now gets a SupersededError.

        Raises:
            OSError: the question cannot be published.
        """
        request, answer = uuid.uuid4().hex, Future[Similar]()
        with self._lock:
            with contextlib.suppress(InvalidStateError):
                self._waiting[1].set_exception(SupersededError())
            self._waiting = request, answer
            publish(self._run, WANTED, Wanted(image, request))
        return answer

    def take(self, version: Version[Similar] | None) -> None:
        """Hand the answer of inference to who waits for it."""
        with self._lock, contextlib.suppress(InvalidStateError):
            if version is not None and version.content.request == self._waiting[0]:
                self._waiting[1].set_result(version.content)
