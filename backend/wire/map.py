"""The map of the folder: its clusters, some of its images, and what was done with places of it."""

from typing_extensions import TypedDict

from backend.store.table import Label
from backend.wire.answers import Counts
from backend.wire.images import ScoredImage


class MapCluster(TypedDict):
    """Images that lie near one another.

    Attributes:
        id: its number, which it keeps while new images come.
        images: how many images lie in it.
        x: its centre, from -1 to 1.
        y: likewise.
        radius: nine tenths of its images are so near to the centre.
        positives: how many images have a positive answer.
        negatives: how many have a negative one.
        skipped: how many were skipped.
        left: how many are to be asked, those with a label of the model included.
        probability: the mean of what the model says of its images; null: nothing.
        representatives: the numbers of up to three images near the centre.
    """

    id: int
    images: int
    x: float
    y: float
    radius: float
    positives: int
    negatives: int
    skipped: int
    left: int
    probability: float | None
    representatives: list[int]


class FolderMapOverview(TypedDict):
    """The map in words and figures; the map shows what the model knows, so drawn images count as open.

    Attributes:
        images: how many images there are.
        placed: how many of them have a place.
        generation: of the layout; null: there is none.
        method: how the places were computed; null: there is no layout.
        clusters: the clusters, by their numbers.
        coming: why there is no map yet, in a sentence; null: there is one.
    """

    images: int
    placed: int
    generation: int | None
    method: str | None
    clusters: list[MapCluster]
    coming: str | None


class MapImage(ScoredImage):
    """An image of the map.

    Attributes:
        label: the answer, as far as the model knows it; null: it has none.
    """

    label: Label | None


class MapImages(TypedDict):
    """Images of the map, in the order in which they were asked for."""

    images: list[MapImage]


class PlacesAsked(TypedDict):
    """How many images are asked before all others because a person has chosen their places."""

    images: int


class MapAnswer(Counts):
    """What became of one answer for many images.

    Attributes:
        id: the client's.
        stored: how many images got it.
        kept: how many have kept an answer that they had.
    """

    id: str
    stored: int
    kept: int
