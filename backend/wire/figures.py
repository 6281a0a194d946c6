"""The figures of the work: counts, intervals, and what the answers to randomly drawn images say."""

from typing_extensions import TypedDict

from backend.store.sources import Source


class Interval(TypedDict):
    """The bounds of a 95 % interval, or of any other range."""

    low: float
    high: float


class Precision(Interval):
    """An interval, and what it rests on: `right` of `of` answers."""

    right: int
    of: int


class Certificate(TypedDict):
    """Whether so many of the positives are found.

    Attributes:
        recall: the share of the positives that is to be found.
        confidence: how sure that is to be.
        given: whether it is so.
        answers: how many more random answers it takes.
    """

    recall: float
    confidence: float
    given: bool
    answers: int


class RandomAnswers(TypedDict):
    """How many random answers there are, and how many are needed before the model may label the remaining images."""

    answered: int
    needed: int


class AuditStatus(TypedDict):
    """What the share of the questions that is drawn at random says.

    Attributes:
        share: the share of the questions.
        after: the share that is drawn later, while all questions are drawn at random for a time; null: they are not.
        until: how many random answers are wanted meanwhile; null: as many as the certificate takes.
        random: whether the model may label the remaining images.
        drawn: how many answered images were drawn at random from the remaining ones.
        to_find: how many positives are still to be found.
        certificate: whether enough of the positives are found.
    """

    share: float
    after: float | None
    until: int | None
    random: RandomAnswers
    drawn: int
    to_find: Interval
    certificate: Certificate


class UnselectedImages(TypedDict):
    """The images that the model has not selected, and the sample of them."""

    images: int
    drawn: int
    positives: int


class ModelFigures(TypedDict):
    """How right the labels of the model would be if it labelled the remaining images now.

    Attributes:
        threshold: from this probability on the label would be positive.
        precision: of the positive labels; null: no random answer tells.
        recall: of all positives; null: no random answer tells.
    """

    threshold: float
    precision: Precision | None
    recall: Interval | None


class CalibrationFigures(Interval):
    """Positives among the images drawn at random, and the range that they would be in if the model were calibrated."""

    images: int
    positives: int
    expected: float


class AuditFigures(AuditStatus):
    """All that the answers to randomly drawn images say.

    Attributes:
        asked: how many answered images were drawn at random, selected by the model or not.
        rest: the images that the model has not selected.
        prevalence: the share of positives among all images; null: there are no images.
        positives: how many positives there are.
        recall: the share of the positives that is found; null: nothing tells yet.
        model: how right the labels of the model would be; null: there is no model yet.
        calibration: whether the probabilities of the model are right; null: nothing tells yet.
    """

    asked: int
    rest: UnselectedImages
    prevalence: Interval | None
    positives: Interval
    recall: Interval | None
    model: ModelFigures | None
    calibration: CalibrationFigures | None


class FoundCurve(TypedDict):
    """How many positives were found after how many answers."""

    answers: list[int]
    positives: list[int]


class AskedCurve(TypedDict):
    """The mean probability of the images that were asked, and up to how many answers each mean goes."""

    answers: list[int]
    probability: list[float | None]


class RepeatFigures(TypedDict):
    """What the second question found of images that timed out.

    Attributes:
        asked: how many images were asked again.
        missed: how many of them were positive.
        low: the lower bound of the share of these, a 95 % interval; null: no image was asked again.
        high: the upper bound.
    """

    asked: int
    missed: int
    low: float | None
    high: float | None


class WorkStatistics(TypedDict):
    """How the work goes.

    Attributes:
        answers: how many images have a positive or a negative answer.
        curve: positives found against answers.
        asked: how probable the images that were asked were.
        prequential: how often the model was right of late, before it was told; null: it said nothing yet.
        repeats: what the second question found of images that timed out.
        sources: how many answers were given in each way.
        audit: what the answers to randomly drawn images say.
    """

    answers: int
    curve: FoundCurve
    asked: AskedCurve
    prequential: Precision | None
    repeats: RepeatFigures
    sources: dict[Source, int]
    audit: AuditFigures
