"""What the model would make of the remaining images, and the labels that it has given."""

from typing import Literal

from typing_extensions import TypedDict

from backend.wire.figures import Interval, Precision, RandomAnswers
from backend.wire.images import ScoredImage


class FinishedLabels(TypedDict):
    """One decision to let the model label the remaining images.

    Attributes:
        id: the client's own.
        client: who decided.
        threshold: from this probability on the label is positive.
        checkpoint: the generation of the checkpoint that the probabilities came from.
        positives: how many images became positive.
        negatives: how many became negative.
        time: when, as ISO 8601 in UTC.
        state: what has become of it.
    """

    id: str
    client: str
    threshold: float
    checkpoint: int
    positives: int
    negatives: int
    time: str
    state: Literal["writing", "standing", "undone"]


class DoubtfulBand(Interval):
    """A band of probabilities around the threshold.

    Attributes:
        images: how many images without an answer are in it.
        next: how many of them are asked next.
    """

    images: int
    next: int


class ExampleImages(TypedDict):
    """Some of the images above the threshold, nearest to it, and below it."""

    above: list[ScoredImage]
    at: list[ScoredImage]
    below: list[ScoredImage]


class WritingProgress(TypedDict):
    """How many of the labels are written."""

    done: int
    total: int


class FinishFigures(TypedDict):
    """How many images would get each label by a threshold, and how right that would be.

    Attributes:
        threshold: from this probability on the label would be positive.
        checkpoint: the generation of the checkpoint that the probabilities come from; null: there is none yet.
        positive: how many images would become positive.
        negative: how many would become negative.
        unscored: how many would get no label, for the model knows nothing of them.
        drawn: how many random answers there are; without any nobody knows how right the labels would be.
        drawn_positive: how many of these are of images at or above the threshold.
        positive_known: whether so many tell how right the positive labels would be.
        precision: of the positive labels; null: nothing tells.
        recall: of all positives; null: nothing tells.
        histogram: how many images have a probability in each of equally wide bins from 0 to 1.
    """

    threshold: float
    checkpoint: int | None
    positive: int
    negative: int
    unscored: int
    drawn: int
    drawn_positive: int
    positive_known: bool
    precision: Precision | None
    recall: Interval | None
    histogram: list[int]


class FinishPreview(FinishFigures):
    """What would become of the remaining images if the model labelled them, and what it has labelled.

    Attributes:
        doubtful: the images around the threshold.
        examples: some images above, at and below the threshold.
        random: whether there are enough random answers.
        standing: the labels of the model that stand; null: there are none.
        writing: how many of the labels are written that are being written; null: none are.
        trouble: why the last labels could not be stored.
    """

    doubtful: DoubtfulBand
    examples: ExampleImages
    random: RandomAnswers
    standing: FinishedLabels | None
    writing: WritingProgress | None
    trouble: str | None
