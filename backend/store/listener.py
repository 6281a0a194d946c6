"""The interface by which the store reports its changes."""

from collections.abc import Sequence
from typing import NamedTuple

from IA.text.answer_words import Label


class CurrentLabel(NamedTuple):
    """The label that stands for an image now.

    Attributes:
        path: path of the image.
        label: its label; None: no answer stands any more.
        is_sampled: whether the image was sampled at random, so that the model must not learn its answer.
    """

    path: str
    label: Label | None
    is_sampled: bool


class Listener:
    """Receives changes from the database's writing thread, before the answer is acknowledged; this class ignores them.

    No answer is stored while one of these methods runs. So a method must not raise, must not wait for the database (a
    job that it submitted and waited for would never be done), and must not take long.
    """

    def labels_changed(self, changed: Sequence[CurrentLabel], answers: int) -> None:
        """Labels have changed, or the model has selected images that were sampled at random.

        Args:
            changed: the labels of these images now, in the order of the changes.
            answers: how many positive and negative answers stand in all.
        """

    def splits_changed(self) -> None:
        """Near duplicates were split, or became one question again."""

    def directory_returned(self) -> None:
        """The run directory was gone and is there again, so files in it may be missing."""
