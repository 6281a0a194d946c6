"""The images most similar to one, or that fit some words: inference is asked for them, and answers later."""

import contextlib
import threading
import uuid
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from pathlib import Path

from IA.protocol.files import WANTED
from IA.protocol.pickle_file import Version, publish
from IA.protocol.shown import Similar, Wanted


class SupersededError(Exception):
    """A later question has taken the place of this one."""


@dataclass
class _Question:
    """A question on its way to inference.

    Attributes:
        wanted: what is asked.
        by: a later question with the same name here takes this one's place; None: no question does.
        answer: what inference answers.
    """

    wanted: Wanted
    by: str | None
    answer: Future[Similar] = field(default_factory=Future)


class Likes:
    """The questions to inference, and who waits for their answers; every method may be called from any thread.

    Inference reads one question at a time. A question about an image is put at once; those about words are put one
    after the other, and once more if an image came between. The answer is a SupersededError where another question
    took the place of this one, and an OSError where the question could not be published.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._line: list[_Question] = []  # the first one is with inference
        self._put = ""  # the request that inference has

    def ask(self, image: int) -> "Future[Similar]":
        """Ask inference for the images most similar to this one; who waits for those of another one is superseded."""
        with self._lock:
            self._supersede("")
            return self._join(_Question(Wanted(image, _new()), ""), 0)

    def ask_in_words(self, prompt: str, client: str | None) -> "Future[Similar]":
        """Ask inference for the images that fit a prompt, which supersedes an earlier prompt of this client.

        Args:
            prompt: what the images are to show.
            client: who asks; None: nobody who would ask again before there is an answer.
        """
        by = None if client is None else f"client {client}"
        with self._lock:
            place = self._supersede(by)
            return self._join(_Question(Wanted(None, _new(), prompt), by), len(self._line) if place is None else place)

    def take(self, version: Version[Similar] | None) -> None:
        """Hand the answer of inference to who waits for it, and put the next question."""
        if version is None:
            return
        with self._lock:
            for question in [each for each in self._line if each.wanted.request == version.content.request]:
                self._line.remove(question)
                with contextlib.suppress(InvalidStateError):  # who waited has given up
                    question.answer.set_result(version.content)
            self._put_first()

    def give_up(self, answer: "Future[Similar]") -> None:
        """Forget a question that nobody waits for any more."""
        with self._lock:
            self._line = [each for each in self._line if each.answer is not answer]
            self._put_first()

    def _supersede(self, by: str | None) -> int | None:
        """Take the earlier question with this name out of the line; returns the place that it had, if any."""
        for place, question in enumerate(self._line):
            if by is not None and question.by == by:
                del self._line[place]
                with contextlib.suppress(InvalidStateError):
                    question.answer.set_exception(SupersededError())
                return place
        return None

    def _join(self, question: _Question, place: int) -> "Future[Similar]":
        self._line.insert(place, question)
        self._put_first()
        return question.answer

    def _put_first(self) -> None:
        """Put the first question to inference; who waits for one that cannot be published gets the OSError."""
        while self._line and self._line[0].wanted.request != self._put:
            first = self._line[0]
            try:
                publish(self._run, WANTED, first.wanted)
                self._put = first.wanted.request
            except OSError as error:
                self._line.remove(first)
                with contextlib.suppress(InvalidStateError):
                    first.answer.set_exception(error)


def _new() -> str:
    return uuid.uuid4().hex
