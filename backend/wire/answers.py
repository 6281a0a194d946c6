"""What the routes say of answers that are given, taken back, listed, or worth a second look."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from backend.store.figures.label_errors import Why
from backend.store.sources import Source
from backend.store.table import Label
from backend.wire.images import ImageNames


class Counts(TypedDict):
    """How many images have each answer, and how many have none yet."""

    positives: int
    negatives: int
    skipped: int
    left: int


class StoredAnswer(TypedDict):
    """An answer that is durable.

    Attributes:
        image: the number of its image; null: the file is not there any more.
        label: the answer.
        alike: the near duplicates that got the same answer; it is missing where none was named.
    """

    image: int | None
    label: Label
    alike: NotRequired[list[int | None]]


class CountedAnswer(StoredAnswer, Counts):
    """An answer that is durable, and the counts that include it."""


class StoredResult(StoredAnswer):
    """What became of one answer of a batch that was stored; `id` is the client's."""

    id: str
    status: Literal[201]


class RefusedResult(TypedDict):
    """Why one answer of a batch was not stored; `id` is the client's."""

    id: str
    status: Literal[404]
    detail: str


class BatchResults(Counts):
    """What became of each answer of a batch, in the order of the batch."""

    results: list[StoredResult | RefusedResult]


class AnsweredImage(ImageNames):
    """An image with an answer.

    Attributes:
        image: its number; null: the file is not there any more.
        label: the answer.
        version: it changes with the content of the file; null: the file is not there any more.
    """

    image: int | None
    label: Label
    version: str | None


class UndoneImage(AnsweredImage):
    """An image whose answer was taken back.

    Attributes:
        alike: its near duplicates, which are asked with it again.
    """

    alike: list[int]


class UndoneAnswers(UndoneImage):
    """The image whose answer was taken back last.

    Attributes:
        images: the images whose answers were taken back, in the order in which they were answered; of answers that were
            given on the map only the last hundred.
        taken: how many answers were taken back.
    """

    images: list[UndoneImage]
    taken: int


class ReunitedImage(TypedDict):
    """The image that stands for its near duplicates again."""

    image: int
    path: str
    version: str
    label: None
    alike: list[int]


class UndoneSplit(TypedDict):
    """A split that was taken back: the near duplicates are one question again.

    Attributes:
        image: the image to show; null: none of them is to be asked.
        path: its path, or that of the first of the near duplicates.
        version: it is missing where no image is to be shown; so is `alike`.
        label: always null.
        images: the image to show, if there is one.
        together: the near duplicates that are one question again.
    """

    image: int | None
    path: str
    version: NotRequired[str]
    alike: NotRequired[list[int]]
    label: None
    images: list[ReunitedImage]
    together: list[int]


class SplitImage(TypedDict):
    """An image that is asked by itself from now on.

    Attributes:
        image: its number.
        alike: its near duplicates, each of which is asked by itself as well.
    """

    image: int
    alike: list[int]


class GivenAnswer(AnsweredImage):
    """What is known of an answer, whether the model has learnt it or not.

    Attributes:
        source: how it was given.
        client: who gave it.
        time: when, as ISO 8601 in UTC.
        shown_ms: how long the image had been on the screen; null: nobody knows.
        probability: what the model said before the image was answered.
        repeat: whether the image was asked a second time, blindly.
        copy_of: the image that was on the screen, where this one is a near duplicate that was answered with it.
    """

    source: Source
    client: str
    time: str
    shown_ms: int | None
    probability: float | None
    repeat: bool
    copy_of: int | None


class RecordedAnswer(GivenAnswer):
    """An answer as it is listed.

    Attributes:
        held_out: the probability of positive by a model that has not learnt this answer; null: there is none yet.
    """

    held_out: float | None


class AnswerPage(TypedDict):
    """Some of the answers.

    Attributes:
        annotations: the answers from `offset` on, `limit` at most.
        total: how many answers fit, all in all.
    """

    annotations: list[RecordedAnswer]
    total: int


class SuspectedAnswer(GivenAnswer):
    """An answer that is worth a second look.

    Attributes:
        held_out: the probability of positive by a model that has not learnt this answer.
        suspicion: how probable it is that the answer is wrong.
        why: `fast` where only the haste of the person makes the answer worth a look, else `model`.
    """

    held_out: float
    suspicion: float
    why: Why


class SuspectedAnswers(TypedDict):
    """The answers that are worth a second look.

    Attributes:
        slips: the most suspicious first, `limit` at most.
        total: how many there are, all in all.
    """

    slips: list[SuspectedAnswer]
    total: int
