"""The status: everything that a page shows of the run, as a route and as an event."""

from typing import Literal

from typing_extensions import TypedDict

from backend.wire.answers import Counts
from backend.wire.figures import AuditStatus
from backend.wire.finish import FinishedLabels

LoopState = Literal["running", "starting", "down", "off"]
PriorSource = Literal["examples", "prompt", "scores"]
FirstReason = Literal["doubtful", "like", "map", "random"]


class ClassNames(TypedDict):
    """What the two answers are called in this run."""

    positive: str
    negative: str


class LoopStatus(TypedDict):
    """Whether each of the loops runs."""

    trainer: LoopState
    inference: LoopState
    selector: LoopState


class ModelStatus(TypedDict):
    """The checkpoint that the probabilities came from: its generation, how many answers it has learnt, its metrics."""

    generation: int
    labels: int
    metrics: dict[str, float]


class RankingStatus(TypedDict):
    """The ranking that is in force: its generation, and how many answers the model behind it has learnt."""

    generation: int
    labels: int


class EmbeddingStatus(TypedDict):
    """How many images are embedded."""

    done: int
    total: int
    percent: float


class NetworkStatus(TypedDict):
    """Which network embeds the images, and what comes behind it.

    Attributes:
        network: the network in force.
        behind: one sentence on the network that comes behind it; null: there is nothing to say.
    """

    network: str
    behind: str | None


class AskedFirst(TypedDict):
    """What is asked before all else.

    Attributes:
        why: the wish of the person.
        images: how many images there were to ask.
        left: how many of them are still to be answered.
    """

    why: FirstReason
    images: int
    left: int


class PriorStatus(TypedDict):
    """What a person has said of the question before any answer.

    Attributes:
        sources: what the order before any answer rests on: `examples`, `prompt`, `scores`.
        prompt: what is looked for, in words; empty: nobody has said it.
    """

    sources: list[PriorSource]
    prompt: str


class SessionStatus(Counts):
    """Everything that a page shows of the run, but for the page's own name.

    Attributes:
        id: of the run.
        run: the run directory.
        datadir: the folder of images.
        classes: what the two answers are called.
        images: how many images there are; they are tiles where photos are asked about in parts.
        photos: how many photos these images are of.
        photos_positive: how many of the photos are positive.
        tile: the grid that photos are cut up by, such as 6x4; null: they are not.
        alike: how many images are near duplicates of another one.
        unreadable: how many images cannot be shown.
        listing: whether the folder is still being listed.
        strategy: what is asked first.
        prior: what a person has said of the question before any answer.
        scores: what was read of the file of scores, as a sentence; null: there is none, or it has not been read yet.
        network: the network that embeds the images.
        behind: one sentence on the network that comes behind it; null: there is nothing to say.
        model: null: there is none yet.
        ranking: null: there is none yet.
        embedding: how many images are embedded.
        loops: whether each of the loops runs.
        tensorboard: whether TensorBoard can be opened.
        instructions: it changes with the text for the annotators; null: there is none.
        upload: whether images may be added.
        auto_idle: seconds without a sign of a person until AUTO asks for one; 0: it never does.
        audit: what the share of the questions that is drawn at random says.
        asked_first: what is asked before all else; null: nothing.
        finished: the labels of the model that stand; null: there are none.
        map: the generation of the map's layout; null: there is no map.
    """

    id: str
    run: str
    datadir: str
    classes: ClassNames
    images: int
    photos: int
    photos_positive: int
    tile: str | None
    alike: int
    unreadable: int
    listing: bool
    strategy: str
    prior: PriorStatus
    scores: str | None
    network: str
    behind: str | None
    model: ModelStatus | None
    ranking: RankingStatus | None
    embedding: EmbeddingStatus
    loops: LoopStatus
    tensorboard: bool
    instructions: str | None
    upload: bool
    auto_idle: float
    audit: AuditStatus
    asked_first: AskedFirst | None
    finished: FinishedLabels | None
    map: int | None


class Status(SessionStatus):
    """Everything that a page shows of the run.

    Attributes:
        page: the name of the script that the page starts with now; null: the page is not built.
    """

    page: str | None


class ChosenStrategy(TypedDict):
    """The strategy that decides from now on what is asked first."""

    strategy: str


class InstructionText(TypedDict):
    """What the person who started the session says of the question; null: nothing."""

    text: str | None
