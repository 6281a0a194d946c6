"""What an export is made of."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from backend.exports.pictures import Pictures
from backend.store.table import Answer, Label
from IA.images.exif import NOTHING, Taken
from IA.text.answer_words import mistakable

LOCAL_FILES = "/data/local-files/?d="  # where Label Studio serves files of its own machine

KEPT = 4096  # The headers of so many photos are kept in memory.


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
        reads_exif: whether what cameras said is read from the files.
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
        """What the camera said of a photo; of the last ones it is kept, for a photo has many tiles."""
        return lru_cache(KEPT)(self.pictures.taken if self.reads_exif else lambda _: NOTHING)

    def name(self, label: Label) -> str:
        """What a label is called."""
        return {"positive": self.positive, "negative": self.negative}.get(label, label)

    def word(self, label: Label) -> str:
        """What stands for a label in a file that names classes: its name, or the label where names would mislead."""
        return self.name(label) if mistakable(self.positive, self.negative) is None else label
