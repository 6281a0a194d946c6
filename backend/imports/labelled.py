"""The label that a foreign file has for an image, and what its words mean."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.store.table import Label
from IA.text.answer_words import CANONICAL, USUAL, folded

ANY = "*"
WHOLE = re.compile(r"\d+\.0")  # Tables turn a class that is a whole number into this.


@dataclass(frozen=True)
class Labelled:
    """One image in a file of labels.

    Attributes:
        path: of the image, or an address of it, as the file has it.
        words: the words for its classes; none where the file knows the image and says nothing of it.
        source: how the answer was given, where one of our own exports says so.
        annotator: who gave it.
        time: when, seconds since 1970.
        shown_ms: how long the image had been on the screen.
        probability: what a model predicted for the image.
        checkpoint: which model that was.
        tile: which part of the photo at `path` the image is, as behind the mark of a path; "": the path says all.
        or_paths: what else the file has that may be the path or address just as well.
        field: where the path stands, if that is not where it should.
    """

    path: str
    words: tuple[str, ...]
    source: str | None = None
    annotator: str | None = None
    time: float | None = None
    shown_ms: int | None = None
    probability: float | None = None
    checkpoint: int | None = None
    tile: str = ""
    or_paths: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True)
class Words:
    """Knows what words mean, whatever their case, spaces and Unicode form.

    Attributes:
        names: of the two classes in the run.
        positive: words that mean positive, beside the usual ones.
        negative: words that mean negative; `*`: all that mean nothing else, also when nothing is said.
    """

    names: Mapping[Label, str] = field(default_factory=dict)
    positive: Sequence[str] = ()
    negative: Sequence[str] = ()
    _known: dict[str, Label | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def meaning(self, word: str) -> Label | None:
        """What a word means; None: nothing that is known.

        What was asked for now comes first, then `positive`, `negative` and `skipped`, whatever the answers are called,
        then the names of the answers, then `yes` and the like. A name that only case, spaces or Unicode form tell from
        the other one is taken as it stands alone.
        """
        if word not in self._known:
            self._known[word] = self._meaning(word.strip())
        return self._known[word]

    def _meaning(self, word: str) -> Label | None:
        plain = folded(word)
        asked: dict[Label, Sequence[str]] = {"positive": self.positive, "negative": self.negative}
        for label, words in asked.items():
            if word != ANY and plain in map(folded, words):
                return label
        if plain in CANONICAL:
            return CANONICAL[plain]
        named = [label for label, name in self.names.items() if name.strip() == word]
        named = named or [label for label, name in self.names.items() if folded(name) == plain]
        if len(named) == 1:
            return named[0]
        if named or plain in USUAL:
            return None if named else USUAL[plain]
        return self._meaning(word.removesuffix(".0")) if WHOLE.fullmatch(word) else None

    def label(self, words: Sequence[str]) -> Label | None:
        """What the words for one image mean: positive if any does; None where nothing is known."""
        labels = set(map(self.meaning, words))
        for label in ("positive", "negative", "skipped"):
            if label in labels:
                return label
        return "negative" if ANY in self.negative else None
