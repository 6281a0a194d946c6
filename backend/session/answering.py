"""What a person does with questions: answer them, take answers back, and split near duplicates."""

import dataclasses
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from backend.images.images import Images
from backend.questions.queue import Queue
from backend.session.following import Following
from backend.store.figures.review import Choice
from backend.store.labels import Labels
from backend.store.table import DRAWN, NOT_DRAWN, Answer


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


class Answering:
    """Stores what people answer; every method may be called from any thread."""

    def __init__(self, labels: Labels, queue: Queue, images: Images, following: Following) -> None:
        self._labels = labels
        self._queue = queue
        self._images = images
        self._following = following

    def answers(self, image: int, client: str, alike: Sequence[int] = (), **given: Any) -> list[Answer]:
        """The answer of a client to an image, and the same answer for its near duplicates; nothing is stored yet.

        Args:
            image: its number.
            client: who answers.
            alike: numbers that the client takes for near duplicates of the image; others are left out.
            given: the other fields of the answer.

        Returns:
            The answer, and one for each near duplicate in the same group; none where no image has this number.
        """
        try:
            answer = self._answer(image, client, **given)
        except IndexError:
            return []
        copies = self._copies(answer, alike) if alike else []
        return [dataclasses.replace(answer, group=answer.group or answer.id) if copies else answer, *copies]

    def _answer(self, image: int, client: str, **given: Any) -> Answer:
        """The answer with what the queue knows of the question. Raises IndexError: no image has this number."""
        is_sampled = self._queue.is_sampled(image, client)
        predicted = self._queue.predicted(image, client)
        path = self._images.path(image)
        return Answer(
            path=self._labels.now_at(path) if self._images.is_gone(image) else path,  # a page may have the old number
            client=client,
            probability=predicted.probability,
            checkpoint=predicted.checkpoint,
            audit=DRAWN if is_sampled else NOT_DRAWN,
            **given,
        )

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

    def store(self, answers: Sequence[Answer], selected: Sequence[str] = ()) -> "Future[list[Answer]]":
        """Store answers in the order given: all of them or, where that fails, none.

        The same transaction stores which of the images that were drawn the model has selected on the way to them.

        Args:
            answers: as people gave them.
            selected: images that are to count as selected by the model in any case.

        Returns:
            The answers as stored, once they are durable. Fails with NotDurableError.
        """
        selected_with = {answer.id: self._passed(answer) for answer in answers}
        return self._labels.annotate_all(answers, selected_with, selected)

    def _passed(self, answer: Answer) -> list[str]:
        """The images that the model would have asked for before the one that is answered."""
        image = self._images.number(answer.path)
        if image is None:
            return []
        return [self._images.path(passed) for passed in self._queue.passed(image, answer.audit == DRAWN)]

    def taken_back(self, taken: Sequence[Answer], client: str) -> list[TakenBack]:
        """Put the images of answers that a client took back into its hands again.

        Near duplicates that were answered together are one question again.
        """
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

    def counts(self) -> dict[str, int]:
        """How many images are positive, negative, skipped and left to be asked."""
        counts = self._labels.counts()
        return {
            "positives": counts["positive"],
            "negatives": counts["negative"],
            "skipped": counts["skipped"],
            "left": self._queue.left,
        }
