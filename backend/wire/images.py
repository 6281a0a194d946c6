"""How an image is named, and what a page needs to show one and to explain it."""

from typing_extensions import TypedDict

from backend.store.table import Label


class PhotoTile(TypedDict):
    """Which part of a photo a tile is; columns and rows are counted from 1, at the top left."""

    columns: int
    rows: int
    column: int
    row: int


class ImageNames(TypedDict):
    """How an image is named.

    Attributes:
        path: of the image or tile, relative to the folder of images.
        source_image: the path of its photo, which is `path` where the image is no tile.
        tile: which part of the photo it is; null: all of it.
    """

    path: str
    source_image: str
    tile: PhotoTile | None


class ShownImage(ImageNames):
    """An image that a page can fetch.

    Attributes:
        image: its number.
        version: it changes with the content of the file.
    """

    image: int
    version: str


class ScoredImage(ShownImage):
    """An image and what the model says of it.

    Attributes:
        probability: of positive; null: the model has not scored the image, or may not tell.
    """

    probability: float | None


class QueuedImage(ScoredImage):
    """An image to be answered.

    Attributes:
        alike: its near duplicates; the answer is for them, too.
    """

    alike: list[int]


class NextImages(TypedDict):
    """The images to answer next, best first.

    Attributes:
        images: the images, which are this client's for a while.
        ranking: the generation of the ranking; null: there is none yet.
        left: how many images are still to be answered.
    """

    images: list[QueuedImage]
    ranking: int | None
    left: int


class HeatMap(TypedDict):
    """Where the model looked.

    Attributes:
        height: rows of the map.
        width: columns of the map.
        values: row by row; 1 speaks for positive as much as anything, -1 as much against it.
    """

    height: int
    width: int
    values: list[float]


class NearImage(ShownImage):
    """An answered image that resembles another one.

    Attributes:
        similarity: the cosine of the two embeddings.
        label: its answer.
    """

    similarity: float
    label: Label


class ImageExplanation(TypedDict):
    """Why the model thinks so, of one image.

    Attributes:
        image: its number.
        checkpoint: the generation of the checkpoint that is explained.
        map: where the model looked; null: the network cannot say.
        positive: the most similar images with a positive answer, the most similar first.
        negative: the most similar images with a negative answer, the most similar first.
    """

    image: int
    checkpoint: int
    map: HeatMap | None
    positive: list[NearImage]
    negative: list[NearImage]


class ImagesLikeThis(TypedDict):
    """How many images are asked before all others because they resemble one image."""

    image: int
    images: int


class UsualOrder(TypedDict):
    """The usual order is in force again.

    Attributes:
        images: 0, for no image is asked before all others any more.
    """

    images: int


class PromptPreview(TypedDict):
    """What words lead to.

    Attributes:
        text: the words as they would be kept.
        classes: the names of the known classes that they lead to, the nearest first.
        images: those of the images still to be answered that would be asked first.
        note: a sentence on how the words were read; empty: as they should be.
    """

    text: str
    classes: list[str]
    images: list[ScoredImage]
    note: str
