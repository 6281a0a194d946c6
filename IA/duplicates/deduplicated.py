"""Near duplicates count once in whatever learns or validates: of a group, one answer of either kind is learnt.

A group that got both answers keeps one of each, and a split for validation never separates these two.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from IA.protocol.files import DUPLICATES, IMAGES
from IA.protocol.pickle_file import read
from IA.protocol.records import Settings

Label = TypeVar("Label", bound=bool | None)


class Deduplicated:
    """The groups of near duplicates of a run, by path."""

    def __init__(self, representatives: Mapping[str, str]) -> None:
        """Take up the groups.

        Args:
            representatives: by the path of each image that has near duplicates, the path of the image that stands for
                the group.
        """
        self._representatives = representatives

    @classmethod
    def from_run(cls, run: Path, settings: Settings) -> "Deduplicated":
        """The groups that inference has found; none where the files do not exist or are damaged.

        Args:
            run: the run directory.
            settings: of the run; with `--alike off` there are no groups.
        """
        if settings.alike == "off":
            return cls({})
        try:
            first, paths = np.asarray(read(run, DUPLICATES).content.first), read(run, IMAGES).content
        except (OSError, ValueError):
            return cls({})
        first = first[: len(paths)]
        first = np.where(first < len(first), first, np.arange(len(first)))
        is_shared = np.bincount(first, minlength=len(first))[first] > 1 if len(first) else first == 0
        return cls({paths[number]: paths[first[number]] for number in np.flatnonzero(is_shared)})

    def group_of(self, path: str) -> str:
        """The group of an image, named by the path that stands for it; near duplicates have the same group."""
        return self._representatives.get(path, path)

    def learnt(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """The answers to learn: of each group, the first answer of either kind.

        Args:
            labels: by path, in the order answered.
        """
        known: set[tuple[str, object]] = set()
        kept: dict[str, Label] = {}
        for path, label in labels.items():
            entry = self.group_of(path), label
            if entry not in known:
                known.add(entry)
                kept[path] = label
        return kept

    def spread(self, figures: Mapping[str, float], labels: Mapping[str, Label]) -> dict[str, float]:
        """Give the figure of each learnt answer to every image of its group that has the same label.

        Args:
            figures: by the path of each learnt answer.
            labels: of all answers, by path.
        """
        of_group = {(self.group_of(path), labels[path]): figure for path, figure in figures.items() if path in labels}
        return {
            path: of_group[self.group_of(path), label]
            for path, label in labels.items()
            if (self.group_of(path), label) in of_group
        }
