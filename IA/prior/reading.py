"""What the words of a prompt lead to: how much each known class counts, and a sentence if they lead nowhere."""

import contextlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from IA.prior.known_classes import known_classes, words_of
from IA.prior.sentences import SentenceEncoder, sentence_encoder, unit
from IA.prior.spelling import mended, singulars
from IA.protocol.replacement import replace
from IA.text.prompts import phrases

log = logging.getLogger(__name__)

SHOWN = 6  # At most so many classes are named.
COUNTS = 0.03  # A class is named if it counts at least so much of the one that counts most.
NAME, DEFINITION = 3.0, 1.0  # What a word counts in the name and in the definition of a class, without an encoder.
IDLE_WORDS = frozenset(words_of("a an and at by for from in into is it of on or the to with that which who used"))

FAR = "None of the 1,000 known classes is near these words, so the order may not help; try other words{hint}."
UNKNOWN = "No known class has one of these words, so the order stays as it is; try other words."
WITHOUT_ENCODER = "Only words in the name or definition of a known class count, as no sentence encoder is installed."

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """One prompt, as it was read.

    Attributes:
        phrases: of the prompt, misspelt words mended.
        weights: (1000,) float32, how much each known class counts, 1 in all; None: the words lead nowhere.
        classes: the names of the classes that count most, the first one most.
        note: a sentence for the person; "": the prompt was read as it should be.
    """

    phrases: Sequence[str]
    weights: Weights | None
    classes: list[str] = field(default_factory=list)
    note: str = ""


class PromptReader:
    """Reads prompts by a sentence encoder, or where none is installed by the words alone."""

    def __init__(self, folder: Path) -> None:
        """Load the encoder; that of all languages encodes the known classes the first time, which takes long.

        Args:
            folder: keeps the encoded classes.
        """
        self._encoder: SentenceEncoder | None = None
        self._classes: Weights | None = None
        try:
            self._encoder = sentence_encoder()
            self._classes = None if self._encoder is None else _encoded_classes(self._encoder, folder)
        except Exception as error:  # noqa: BLE001 - tokenizers raises nothing narrower
            log.warning("the encoder of prompts cannot be used (%s); words alone count", error)
        self.read = lru_cache(256)(self._read)

    def _read(self, prompt: str) -> Reading:
        """What the words of a prompt lead to; the prompt is as `checked_prompt` gives it."""
        asked = phrases(prompt)
        if self._encoder is None or self._classes is None:
            return _by_words(asked)
        read = [mended(phrase) for phrase in asked]
        similarity = self._encoder.queries(read) @ self._classes.T  # (P, 1000)
        weights = np.exp(self._encoder.sharpness * (similarity - similarity.max(1, keepdims=True)))
        weights = (weights / weights.sum(1, keepdims=True)).mean(0)
        notes = [_as_read(asked, read)]
        if similarity.max() < self._encoder.near:
            notes.append(FAR.format(hint=self._encoder.hint))
        return Reading(read, weights, _named(weights), " ".join(filter(None, notes)))


def _by_words(asked: Sequence[str]) -> Reading:
    """Weights by the words that a class has in its name or definition."""
    read = [mended(phrase) for phrase in asked]
    wanted = {form for phrase in read for word in words_of(phrase) for form in singulars(word)} - IDLE_WORDS
    named, defined = _words_of_classes()
    counts = [
        NAME * len(wanted & names) + DEFINITION * len(wanted & words)
        for names, words in zip(named, defined, strict=True)
    ]
    weights = np.array(counts, np.float32)
    notes = [WITHOUT_ENCODER, _as_read(asked, read)]
    if not weights.any():
        return Reading(read, None, [], " ".join(filter(None, [*notes, UNKNOWN])))
    weights[weights < weights.max()] *= 0.1
    weights /= weights.sum()
    return Reading(read, weights, _named(weights), " ".join(filter(None, notes)))


@cache
def _words_of_classes() -> tuple[list[set[str]], list[set[str]]]:
    """For each known class the words of its names, and those of its definition."""
    parts = [description.partition(":") for description in known_classes().descriptions]
    return [_forms(names) for names, _, _ in parts], [_forms(definition) for _, _, definition in parts]


def _forms(text: str) -> set[str]:
    return {form for word in words_of(text) for form in singulars(word)}


def _as_read(asked: Sequence[str], read: Sequence[str]) -> str:
    """A sentence that says which phrases were read as others."""
    changed = [f"“{one}” as “{other}”" for one, other in zip(asked, read, strict=True) if one != other]
    return f"Read {', '.join(changed)}." if changed else ""


def _named(weights: Weights) -> list[str]:
    best = np.argsort(-weights, kind="stable")[:SHOWN]
    names = known_classes().names
    return list(dict.fromkeys(names[each] for each in best if weights[each] >= COUNTS * weights[best[0]]))


def _encoded_classes(encoder: SentenceEncoder, folder: Path) -> Weights:
    """The known classes as unit vectors (1000, V), from the file that comes with the encoder or the folder's cache."""
    descriptions = known_classes().descriptions
    file = encoder.classes or folder / f"classes-{encoder.name}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        kept = np.load(file, allow_pickle=False).astype(np.float32)
        if kept.ndim == 2 and len(kept) == len(descriptions) and np.isfinite(kept).all():
            return unit(kept)
    classes = encoder.passages(descriptions)
    with contextlib.suppress(OSError):  # then the next start encodes them again
        folder.mkdir(parents=True, exist_ok=True)
        np.save(written := io.BytesIO(), classes)
        replace(file, written.getbuffer())
    return classes
