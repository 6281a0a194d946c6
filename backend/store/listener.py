"""Who is told of what the store has done."""

from collections.abc import Sequence
from typing import NamedTuple

from IA.text.answer_words import Label


class CurrentLabel(NamedTuple):
    """What stands for an image now.

    Attributes:
        path: of the image.
        label: None: no answer stands any more.
        is_sampled: whether it was drawn at random and the model must not learn its answer.
    """

    path: str
    label: Label | None
    is_sampled: bool


class Listener:
    """Is called from the writing thread of the database, before the answer is acknowledged; does nothing by itself.

    While one of these methods runs, no answer is stored. So a method must not raise, must not wait for the database (a
    job that it submitted and waited for would never be done), and must not take long.
    """

    def labels_changed(self, changed: Sequence[CurrentLabel], answers: int) -> None:
        """Labels have changed, or the model has selected images that were drawn at random.

        Args:
            changed: what stands for the images now, in the order of the changes.
            answers: how many positive and negative answers stand in all.
        """

    def splits_changed(self) -> None:
        """Near duplicates were split, or are one question again."""

    def directory_returned(self) -> None:
        """The run directory was gone and is there again: files in it may be missing."""
