"""What a person asks of inference, and what the server shows: explanations, similar images, the map of the folder."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from IA.protocol.fields import (
    FINITE,
    MOST,
    Bytes,
    Floats,
    Ints,
    Record,
    array,
    count,
    optional,
    stored,
    text,
    typed,
)

MOST_SIMILAR = 200  # inference names at most this many images that are similar to a given one
NEIGHBOURS = 3  # an explanation names this many neighbours of either class
LARGEST_MAP = 64  # an explanation's map has at most this many places on a side
FULL = 127  # the furthest value from 0 of a place in a map


def _texts(value: Any) -> list[str]:
    return [text(each) for each in typed(value, list)]


@dataclass(frozen=True)
class Explanations(Record):
    """Why the model predicts what it does, for a few images.

    Attributes:
        checkpoint: generation of the checkpoint that is explained.
        images: (E,) int32, numbers of the images.
        shapes: (2 E,) int32, height and width of each map; 0 and 0 for an image without a map.
        maps: (sum of height * width,) int8, one map after the other, row by row, over the upright picture. A value
            says how much its place speaks for positive, or against it below 0; the furthest from 0 is `FULL`.
        neighbours: (6 E,) int32, for each image the three nearest with a positive and the three nearest with a
            negative answer, the nearest first; -1 fills up where there are fewer.
        similarity: (6 E,) float32, the cosine to each neighbour.
    """

    checkpoint: int = field(metadata=stored(count))
    images: Ints = field(metadata=array("i", 0, MOST))
    shapes: Ints = field(metadata=array("i", 0, LARGEST_MAP))
    maps: Bytes = field(metadata=array("b", -FULL, FULL))
    neighbours: Ints = field(metadata=array("i", -1, MOST))
    similarity: Floats = field(metadata=array("f", -1, 1))

    def check(self) -> None:
        """See `Record`."""
        each = 2 * NEIGHBOURS * len(self.images)
        if len(self.shapes) != 2 * len(self.images) or len(self.neighbours) != each or len(self.similarity) != each:
            raise ValueError("images, shapes, neighbours and similarity do not fit each other")
        if int(np.asarray(self.shapes).reshape(-1, 2).prod(axis=1).sum()) != len(self.maps):
            raise ValueError("maps and shapes do not fit each other")


@dataclass(frozen=True)
class Wanted(Record):
    """A person asks for images that are similar to a given one, or that fit a prompt.

    Attributes:
        image: the number of the given image; None: the prompt counts.
        request: tells this request from any other.
        prompt: what the images are to show, in words.
    """

    image: int | None = field(metadata=stored(optional(count)))
    request: str = field(metadata=stored(text))
    prompt: str = field(default="", metadata=stored(text, before=""))


@dataclass(frozen=True)
class Similar(Record):
    """The images most similar to a given one, or to a prompt, without those whose answer the model knows.

    Attributes:
        request: the request that this answers.
        images: (S,) int32, at most `MOST_SIMILAR`, the most similar first; empty if the given image has no embedding,
            or if the prompt leads nowhere.
        scores: (S,) float32, the cosine of each to the given image, in the space of the pool, or how well each fits the
            prompt, over the pool of mean 0 and standard deviation 1.
        classes: the names of the known classes that the prompt leads to, the nearest first.
        note: a sentence for the person on how the prompt was read; "": as it should be.
    """

    request: str = field(metadata=stored(text))
    images: Ints = field(metadata=array("i", 0, MOST))
    scores: Floats = field(metadata=array("f", -FINITE, FINITE))
    classes: list[str] = field(default_factory=list, metadata=stored(_texts, before=[]))
    note: str = field(default="", metadata=stored(text, before=""))

    def check(self) -> None:
        """See `Record`."""
        if len(self.images) != len(self.scores) or len(self.images) > MOST_SIMILAR:
            raise ValueError("images and scores that do not fit each other, or too many")


@dataclass(frozen=True)
class Layout(Record):
    """A map of the folder: a place for each image, near ones alike.

    Attributes:
        x: (N,) float32 and
        y: (N,) float32, the place of each image, all of them in [-1, 1]; NaN where an image has none yet.
        method: how the places were computed, pca or tsne.
        backbone: fingerprint of the backbone whose embeddings were laid out; "": nobody knows.
        images: how many images were embedded when the layout was computed; later ones were placed among them.
    """

    x: Floats = field(metadata=array("f", -1, 1, unknown=True))
    y: Floats = field(metadata=array("f", -1, 1, unknown=True))
    method: str = field(metadata=stored(text))
    backbone: str = field(default="", metadata=stored(text, before=""))
    images: int = field(default=0, metadata=stored(count, before=0))

    def check(self) -> None:
        """See `Record`."""
        if len(self.x) != len(self.y):
            raise ValueError("x and y differ in length")
