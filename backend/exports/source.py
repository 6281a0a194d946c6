"""The contents of an export: the answers, and all that a format needs to describe them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from backend.exports.pictures import Pictures
from backend.store.table import Answer, Label
from IA.images.exif import NOTHING, Taken
from IA.text.answer_words import mistakable

LOCAL_FILES = "/data/local-files/?d="  # Label Studio serves local files below this address.

KEPT = 4096  # The headers of so many photos are kept in memory.


@dataclass(frozen=True)
class Source:
    """The answers of a run, and what is needed to make sense of them.

    Attributes:
        answers: people's answers in the order answered, then the model's labels; they are read once. For a run with
            tiles and a format that holds the images, each of the two parts is in the order of paths.
        positive: the name of the positive answer.
        negative: the name of the negative answer.
        pictures: the image files.
        label: the label that all these answers have; None: answers with any label.
        prefix: the text that Label Studio needs before the path of an image.
        is_rolled_up: each answer is about a photo, and made of the answers to its tiles.
        reads_exif: whether the time and the camera of each photo are read from its file.
    """

    answers: Iterable[Answer]
    positive: str
    negative: str
    pictures: Pictures
    label: Label | None = None
    prefix: str = LOCAL_FILES
    is_rolled_up: bool = False
    reads_exif: bool = True

    @cached_property
    def taken(self) -> Callable[[str], Taken]:
        """Returns the time and the camera of a photo; those of the last photos are kept, as a photo has many tiles."""
        return lru_cache(KEPT)(self.pictures.taken if self.reads_exif else lambda _: NOTHING)

    def name(self, label: Label) -> str:
        """The name of a label."""
        return {"positive": self.positive, "negative": self.negative}.get(label, label)

    def word(self, label: Label) -> str:
        """The word for a label in a file of classes: its name, or the label itself if the names would mislead."""
        return self.name(label) if mistakable(self.positive, self.negative) is None else label
