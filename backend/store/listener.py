"""Who is told of what the store has done."""

from collections.abc import Sequence


class Listener:
    """Is called from the writing thread of the database, before the answer is acknowledged; does nothing by itself.

    While one of these methods runs, no answer is stored. So a method must not raise, must not wait for the database (a
    job that it submitted and waited for would never be done), and must not take long. It may be called before its
    object is whole only if the run directory is lost during the first second of a session.
    """

    def labels_changed(self, paths: Sequence[str]) -> None:
        """The labels of these images have changed, or the model has selected images that were drawn at random."""

    def splits_changed(self) -> None:
        """Near duplicates were split, or are one question again."""

    def directory_returned(self) -> None:
        """The run directory was gone and is there again: files in it may be missing."""
