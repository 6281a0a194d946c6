"""What an export is made of."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.answers import Answer, Label
from backend.exports.pictures import Pictures

LOCAL_FILES = "/data/local-files/?d="  # where Label Studio serves files of its own machine


@dataclass(frozen=True)
class Source:
    """The answers of a run, and what is needed to make sense of them.

    Attributes:
        answers: those of people in the order answered, then those that a model gave; read once. Of a run with tiles,
            for a format that holds the images, each of the two by path.
        positive: what the positive answer is called.
        negative: what the negative answer is called.
        pictures: the image files.
        label: the one that these answers were chosen by; None: all are there.
        prefix: what Label Studio is to find before the path of an image.
        is_rolled_up: the answers are those of photos, made of the answers to their tiles.
    """

    answers: Iterable[Answer]
    positive: str
    negative: str
    pictures: Pictures
    label: Label | None = None
    prefix: str = LOCAL_FILES
    is_rolled_up: bool = False

    def name(self, label: Label) -> str:
        """What a label is called."""
        return {"positive": self.positive, "negative": self.negative}.get(label, label)
