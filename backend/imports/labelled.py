"""What a foreign file says of an image, and what its words mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.answers import Label

ANY = "*"
WORDS: dict[Label, tuple[str, ...]] = {
    "positive": ("positive", "true", "1", "yes"),
    "negative": ("negative", "false", "0", "no"),
    "skipped": ("skipped",),
}


@dataclass(frozen=True)
class Labelled:
    """One image in a file of labels.

    Attributes:
        path: of the image, or an address of it, as the file has it.
        said: the words for its classes; none where the file knows the image and says nothing of it.
        source: how the answer was given, where one of our own exports says so.
        annotator: who gave it.
        time: when, seconds since 1970.
        shown_ms: how long the image had been on the screen.
        probability: what a model had said of it, and
        checkpoint: which.
        tile: which part of the photo at `path` the image is, as behind the mark of a path; "": the path says all.
    """

    path: str
    said: tuple[str, ...]
    source: str | None = None
    annotator: str | None = None
    time: float | None = None
    shown_ms: int | None = None
    probability: float | None = None
    checkpoint: int | None = None
    tile: str = ""


@dataclass(frozen=True)
class Words:
    """What words mean here, whatever their case.

    Attributes:
        names: of the two classes in the run.
        positive: words that mean positive, beside the usual ones.
        negative: words that mean negative; `*`: all that mean nothing else, also when nothing is said.
    """

    names: Mapping[Label, str] = field(default_factory=dict)
    positive: Sequence[str] = ()
    negative: Sequence[str] = ()

    def meaning(self) -> dict[str, Label]:
        """The label of each word, in lower case: what was asked for now, else a name in the run, else the usual."""
        usual = {word: label for label, words in WORDS.items() for word in words}
        named = {name.casefold(): label for label, name in self.names.items()}
        asked: dict[str, Label] = {word.casefold(): "positive" for word in self.positive}
        asked |= {word.casefold(): "negative" for word in self.negative if word != ANY}
        return usual | named | asked

    def label(self, said: Sequence[str], meaning: Mapping[str, Label]) -> Label | None:
        """What the words for one image mean: positive if any does; None where nothing is known."""
        labels = {meaning.get(word.strip().casefold()) for word in said}
        for label in ("positive", "negative", "skipped"):
            if label in labels:
                return label
        return "negative" if ANY in self.negative else None
