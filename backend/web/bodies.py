"""The bodies of requests, and the kinds of values in them."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import CoreSchema, core_schema

from backend.store.sources import ClientSource
from backend.store.table import Label
from IA.protocol.records import MOST_ALIKE
from IA.strategies import STRATEGIES

MOST_OF_MAP = 1_000_000  # images that one request names
Client = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
Number = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class OneOf:
    """Annotates a text that has to be one of these names, such as those of a registry; the contract lists them."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class AnnotationBody(_Body):
    """One answer of a person."""

    image: Number
    label: Label
    source: ClientSource = "api"
    client: Client = "api"
    shown_ms: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    id: Annotated[UUID, Field(strict=False)] = Field(default_factory=uuid4)
    group: Annotated[UUID, Field(strict=False)] | None = None
    repeat: bool = False
    reviewed: bool = False
    alike: Annotated[list[Number], Field(max_length=MOST_ALIKE)] = []


class BatchBody(_Body):
    """Several answers, which are stored in this order."""

    annotations: Annotated[list[AnnotationBody], Field(min_length=1, max_length=100)]


class UndoBody(_Body):
    """The client whose last answer is taken back."""

    client: Client = "api"


class ReleaseBody(_Body):
    """The client that has gone; others may be given the images that it had."""

    client: Client = "api"


class GroupBody(_Body):
    """The group of answers, such as an import, that is taken back."""

    group: Annotated[UUID, Field(strict=False)]


class SplitBody(_Body):
    """The image that is asked apart from its near duplicates from now on."""

    image: Number
    client: Client = "api"


class LikeBody(_Body):
    """The image to find similar ones to."""

    image: Number


class PlacesBody(_Body):
    """Images that a person has chosen by their places on the map."""

    images: Annotated[list[Number], Field(min_length=1, max_length=MOST_OF_MAP)]


class MapAnswerBody(PlacesBody):
    """One answer for all of these images that have none; a request that is repeated with the same id is one answer."""

    label: Label
    client: Client = "api"
    id: Annotated[UUID, Field(strict=False)] = Field(default_factory=uuid4)


class AuditBody(_Body):
    """The share of the questions that is drawn at random, when that ends, and what the certificate promises."""

    share: Share
    until: Annotated[int, Field(gt=0, lt=2**31)] | None = None
    recall: Annotated[float, Field(gt=0, lt=1)] | None = None
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = None


class FinishBody(_Body):
    """The decision to let the model label the remaining images, at the checkpoint whose figures the person has seen.

    `anyway`: even if there are too few random answers to tell how right the labels would be.
    """

    threshold: Share
    checkpoint: Annotated[int, Field(ge=0, lt=2**53)]
    anyway: bool = False
    id: Annotated[UUID, Field(strict=False)] = Field(default_factory=uuid4)
    client: Client = "api"


class DoubtfulBody(_Body):
    """The band of probability that is asked next, and the threshold to begin at; null: that of the checkpoint."""

    low: Share
    high: Share
    threshold: Share | None = None


class StrategyBody(_Body):
    """The strategy that orders the questions from now on."""

    strategy: Annotated[str, OneOf(tuple(STRATEGIES))]


class PromptBody(_Body):
    """What a person looks for, in words; several phrases are separated by commas, and an empty text drops them."""

    text: str
