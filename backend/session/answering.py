"""What a person does with questions: answer them, take answers back, and split near duplicates."""

import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from backend.images.images import Images
from backend.questions.queue import Queue
from backend.session.following import Following
from backend.store.figures.review import Choice
from backend.store.labels import Labels
from backend.store.places import Placed
from backend.store.sources import BY_MAP, KEPT
from backend.store.table import CHUNK, DRAWN, NOT_DRAWN, Answer, Label, NothingToUndoError
from backend.wire.answers import Counts

MOST_SHOWN = 100  # So many of the images whose answers of the map were taken back are shown again.


@dataclass(frozen=True)
class Given:
    """Answers that are given and not stored yet.

    Attributes:
        answers: to an image and then to its near duplicates; none where there is no such image.
        selected_with: by the id of an answer the paths of the images that the model selects with it.
    """

    answers: list[Answer]
    selected_with: dict[str, list[str]]


@dataclass(frozen=True)
class TakenBack:
    """An answer that was taken back, and its image, which its client has in its hands again.

    Attributes:
        answer: the answer.
        image: the number of its image; None where the listing has lost the image.
        near_duplicates: numbers of the images that are asked together with it again.
    """

    answer: Answer
    image: int | None
    near_duplicates: list[int]


@dataclass(frozen=True)
class Rejoined:
    """Near duplicates that were split, and are one question again.

    Attributes:
        images: their numbers.
        shown: the one that they are asked by; None where all of them are answered.
        near_duplicates: those that are asked together with it.
    """

    images: list[int]
    shown: int | None
    near_duplicates: list[int]


def given_now(answers: Sequence[Answer]) -> int:
    """How many of these answers are no earlier ones that the map has stored once more."""
    return sum(not answer.id.endswith(KEPT) for answer in answers)


class Answering:
    """Stores what people answer; every method may be called from any thread."""

    def __init__(self, labels: Labels, queue: Queue, images: Images, following: Following) -> None:
        self._labels = labels
        self._queue = queue
        self._images = images
        self._following = following

    def given(self, image: int, client: str, alike: Sequence[int] = (), **fields: Any) -> Given:
        """The answer of a client to an image, and the same answer for its near duplicates; nothing is stored yet.

        Args:
            image: its number.
            client: who answers.
            alike: numbers that the client takes for near duplicates of the image; others are left out.
            fields: the other fields of the answer.
        """
        try:
            path = self._images.path(image)
        except IndexError:
            return Given([], {})
        question = self._queue.question(image, client)
        answer = Answer(
            path=self._labels.now_at(path) if self._images.is_gone(image) else path,  # A page may have the old number.
            client=client,
            probability=question.predicted.probability,
            checkpoint=question.predicted.checkpoint,
            audit=DRAWN if question.is_sampled else NOT_DRAWN,
            **fields,
        )
        selected_with = {answer.id: self._paths(question.passed)}
        copies = self._copies(answer, alike) if alike else []
        if copies:
            answer = dataclasses.replace(answer, group=answer.group or answer.id)
            selected_with |= self.given_elsewhere(copies).selected_with
        return Given([answer, *copies], selected_with)

    def given_elsewhere(self, answers: list[Answer]) -> Given:
        """Answers that are whole already, such as those in a file."""
        numbered = [(answer, self._images.number(answer.path)) for answer in answers]
        questions = [
            (answer.id, self._queue.question(image, answer.client)) for answer, image in numbered if image is not None
        ]
        return Given(answers, {id: self._paths(question.passed) for id, question in questions})

    def _paths(self, images: Iterable[int]) -> list[str]:
        return [self._images.path(image) for image in images]

    def _copies(self, answer: Answer, alike: Sequence[int]) -> list[Answer]:
        image = self._images.number(answer.path)
        numbers = [] if image is None else self._queue.states.among(image, alike)
        return [
            dataclasses.replace(
                answer,
                id=f"{answer.id}:{number}",
                path=self._images.path(number),
                copy_of=answer.path,
                group=answer.group or answer.id,
            )
            for number in numbers
        ]

    def store(self, given: Iterable[Given], selected: Sequence[str] = ()) -> "Future[list[Answer]]":
        """Store answers in the order given: all of them or, where that fails, none.

        The same transaction stores which of the images that were drawn the model has selected with them.

        Args:
            given: as people gave them.
            selected: images that count as selected by the model in any case.

        Returns:
            The answers as stored, once they are durable. Fails with NotDurableError.
        """
        answers: list[Answer] = []
        selected_with: dict[str, list[str]] = {}
        for some in given:
            answers += some.answers
            selected_with |= some.selected_with
        return self._labels.annotate_all(answers, selected_with, selected)

    def answer_places(self, images: Iterable[int], label: Label, client: str, id: str) -> Placed:
        """Give one answer to all of these images that have none, as one group, and wait until it is durable.

        The answers are stored in chunks, so that others need not wait; the same id again stores none twice.

        Args:
            images: their numbers; those that no image has are left out.
            label: the answer.
            client: who answers.
            id: names the group, and begins the name of each answer.

        Raises:
            NotDurableError: the last chunks could not be stored; the others count.
        """
        known = ((image, self._images.path(image)) for image in dict.fromkeys(images) if image < len(self._images))
        stored = kept = 0
        while some := list(itertools.islice(known, CHUNK)):
            given = [
                Answer(f"{id}:{image}", self._labels.now_at(path), label, BY_MAP, client, group=id)
                for image, path in some
            ]
            placed = self._labels.annotate_open(given).result()
            stored, kept = stored + placed.stored, kept + placed.kept
        return Placed(stored, kept)

    def take_back_places(self, last: Answer) -> int:
        """Take back all other answers that were given on the map with this one; returns how many.

        Raises:
            NotDurableError: some could not be taken back; another undo goes on.
        """
        answers = 0
        with contextlib.suppress(NothingToUndoError):
            while True:
                answers += given_now(self._labels.undo(last.client, last.group).result())
        return answers

    def taken_back(self, taken: Sequence[Answer], client: str) -> list[TakenBack]:
        """Put the images of answers that a client took back into its hands again.

        Near duplicates that were answered together are one question again. Images that were answered on the map go into
        nobody's hands: nobody was asked them.
        """
        if taken[-1].is_of_map:
            return [TakenBack(answer, self._images.number(answer.path), []) for answer in taken[-MOST_SHOWN:]]
        paths = {answer.path for answer in taken}
        return [self._held(answer, client) for answer in taken if answer.copy_of not in paths]

    def _held(self, answer: Answer, client: str) -> TakenBack:
        image = self._images.number(answer.path)
        if image is None:
            return TakenBack(answer, None, [])
        self._queue.hold(image, client, answer.audit == DRAWN)
        return TakenBack(answer, image, self._queue.near_duplicates(image, client))

    def split(self, image: int, client: str) -> "tuple[list[int], Future[None] | None]":
        """Have an image and its near duplicates asked one by one from now on.

        Returns:
            The image and its near duplicates, and what is done once that is durable; None where it has none.

        Raises:
            IndexError: no image has this number.
        """
        self._images.path(image)
        members = self._queue.states.members(image)
        if len(members) == 1:
            return members, None
        return members, self._labels.split([self._images.path(each) for each in members], client)

    def rejoined(self, paths: Iterable[str], client: str) -> Rejoined:
        """Ask near duplicates as one question again that a client had split; it has that one in its hands."""
        numbers = [number for path in paths if (number := self._images.number(path)) is not None]
        shown = self._queue.rejoin(numbers, client)
        return Rejoined(numbers, shown, [] if shown is None else self._queue.near_duplicates(shown, client))

    def chosen(self, choice: Choice, limit: int, offset: int) -> tuple[Iterable[Answer], int]:
        """The standing answers that a choice takes, and how many there are without `limit` and `offset`."""
        if not choice.is_plain:
            return self._labels.stored.chosen(choice, self._following.held_out, limit, offset)
        counts = self._labels.counts()
        total = counts[choice.label] if choice.label else sum(counts.values())
        return self._labels.stored.standing(choice.label, limit, offset), total

    def counts(self) -> Counts:
        """How many images are positive, negative, skipped and left to be asked."""
        counts = self._labels.counts()
        return {
            "positives": counts["positive"],
            "negatives": counts["negative"],
            "skipped": counts["skipped"],
            "left": self._queue.left,
        }
