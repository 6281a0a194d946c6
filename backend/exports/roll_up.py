"""Rolls answers to tiles up to their photos: a photo is positive if any tile is, and negative if all tiles are.

A photo is skipped if none of its tiles is positive, all are answered, and at least one was skipped. A photo with
unanswered tiles and no positive one has no label yet, and is left out.
"""

import math
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.images.paths import Paths
from backend.store.table import Answer, Label
from IA.images.tiles import photo_of, split

NO_CHECKPOINT = -1
NOBODY = -1


@dataclass(frozen=True)
class OfPhoto(Answer):
    """The label of a photo, made of the answers to its tiles.

    Source, client, time and time shown are those of the answer that decided: the first positive one, else the last
    skipped one, else the last one. The probability is the highest of the positive tiles if there are any, else of all
    tiles. No photo is sampled at random.

    Attributes:
        tiles: how many tiles the photo has.
        tiles_positive: how many of them are positive.
    """

    tiles: int = 1
    tiles_positive: int = 0


class RolledUp:
    """The photos of a run with the labels that their tiles give them, in the order in which these were decided.

    The answers are read twice; in between, some thirty bytes per photo and four per answer are kept.

    Attributes:
        known: how many photos have a label; counted when they are read.
        count: how many of these have the label that was asked for.
    """

    def __init__(self, answers: Iterable[Answer], label: Label | None = None) -> None:
        """Read nothing yet.

        Args:
            answers: the answers; each reading must give the same ones.
            label: only photos with this label.
        """
        self._answers = answers
        self._label = label
        self.known = 0
        self.count = 0

    def __iter__(self) -> Iterator[OfPhoto]:
        """All photos that have a label."""
        tally, deciding = self._tallied()
        for number, answer in zip(deciding, self._answers, strict=True):
            if number != NOBODY:
                yield tally.answer(number, answer)

    def _tallied(self) -> "tuple[_Tally, array[int]]":
        """The counts of the photos, and for each answer the number of the photo whose label it decides, or NOBODY."""
        tally, places = _Tally(), 0
        for answer in self._answers:
            tally.add(answer, places)
            places += 1
        deciding = array("i", [NOBODY]) * places
        self.known = self.count = 0
        for number in range(len(tally)):
            label = tally.label(number)
            self.known += label is not None
            if label is not None and self._label in {None, label}:
                self.count += 1
                deciding[tally.deciding[number]] = number
        tally.forget_paths()
        return tally, deciding


class _Tally:
    """The counts of each photo, in columns, because there may be half a million photos."""

    def __init__(self) -> None:
        self._paths = Paths()
        self._tiles = array("H")
        self._answered = array("H")
        self._positive = array("H")
        self._skipped = array("H")
        self._probability = array("d")
        self._checkpoint = array("q")
        self.deciding = array("i")  # place of the deciding answer of each photo

    def __len__(self) -> int:
        return len(self._tiles)

    def add(self, answer: Answer, place: int) -> None:
        """Count the next answer."""
        number = self._number(answer.path)
        had_positive, is_positive = self._positive[number] > 0, answer.label == "positive"
        self._answered[number] += 1
        self._positive[number] += is_positive
        self._skipped[number] += answer.label == "skipped"
        if had_positive and not is_positive:
            return
        if is_positive and not had_positive:  # The earlier answers to its tiles do not matter any more.
            self._probability[number] = math.nan
        if not had_positive and (is_positive or answer.label == "skipped" or not self._skipped[number]):
            self.deciding[number] = place
        if answer.probability is not None and not answer.probability <= self._probability[number]:
            self._probability[number] = answer.probability
            self._checkpoint[number] = NO_CHECKPOINT if answer.checkpoint is None else answer.checkpoint

    def label(self, number: int) -> Label | None:
        """The label of a photo; None if it has none yet."""
        if self._positive[number]:
            return "positive"
        if self._answered[number] < self._tiles[number]:
            return None
        return "skipped" if self._skipped[number] else "negative"

    def answer(self, number: int, decided: Answer) -> OfPhoto:
        """The rolled-up answer of a photo with a label, made from the answer that decided."""
        label, probability, checkpoint = self.label(number), self._probability[number], self._checkpoint[number]
        if label is None:
            raise ValueError(number)
        is_unasked = math.isnan(probability)
        return OfPhoto(
            id=decided.id,
            path=photo_of(decided.path),
            label=label,
            source=decided.source,
            client=decided.client,
            shown_ms=decided.shown_ms,
            probability=None if is_unasked else probability,
            time=decided.time,
            checkpoint=None if is_unasked or checkpoint == NO_CHECKPOINT else checkpoint,
            tiles=self._tiles[number],
            tiles_positive=self._positive[number],
        )

    def forget_paths(self) -> None:
        """Free the memory that only counting needs."""
        self._paths = Paths()

    def _number(self, path: str) -> int:
        photo, tile = split(path)
        number = self._paths.number(photo)
        if number is not None:
            return number
        self._tiles.append(1 if tile is None else tile.columns * tile.rows)
        for counts in (self._answered, self._positive, self._skipped, self.deciding):
            counts.append(0)
        self._probability.append(math.nan)
        self._checkpoint.append(NO_CHECKPOINT)
        return self._paths.add(photo)
