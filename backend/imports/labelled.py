"""The label that a foreign file has for an image, and the meaning of its words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backend.store.table import Label
from IA.text.answer_words import CANONICAL, USUAL, folded

ANY = "*"
WHOLE = re.compile(r"\d+\.0")  # Tables write a class that is a whole number like this.


@dataclass(frozen=True)
class Labelled:
    """One image in a file of labels.

    Attributes:
        path: the image's path or address, as in the file.
        words: the words for its classes; empty if the file names the image without a class.
        source: how the answer was given, if one of our own exports has that.
        annotator: who gave it.
        time: when it was given, seconds since 1970.
        shown_ms: how long the image had been on the screen.
        probability: what a model predicted for the image.
        checkpoint: which model that was.
        tile: the part of the photo at `path` that is the image, written as after the mark in a path; "": the path alone
            names the image.
        or_paths: other texts in the file that may be the path or address as well.
        field: the field that holds the path, if it is not the usual one.
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
        names: the names of the two classes in the run.
        positive: words that mean positive, beside the usual ones.
        negative: words that mean negative; `*`: all words that mean nothing else, and images without a word.
    """

    names: Mapping[Label, str] = field(default_factory=dict)
    positive: Sequence[str] = ()
    negative: Sequence[str] = ()
    _known: dict[str, Label | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def meaning(self, word: str) -> Label | None:
        """The meaning of a word; None: it is unknown.

        The words that a person has given come first, then `positive`, `negative` and `skipped`, then the names of the
        answers, then `yes` and similar words. If two names differ only in case, spaces or Unicode form, only the exact
        spelling counts.
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
        """The label that the words for one image mean: positive if any does; None if no word is known."""
        labels = set(map(self.meaning, words))
        for label in ("positive", "negative", "skipped"):
            if label in labels:
                return label
        return "negative" if ANY in self.negative else None
