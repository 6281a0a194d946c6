"""Near duplicates count once in whatever learns or validates: of a group one answer of either kind is learnt.

A group that got both answers keeps one of each, and these are never on two sides of a split.
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
    """Paths of images that have near duplicates, by the path of the one that stands for them."""

    def __init__(self, same: Mapping[str, str]) -> None:
        self._same = same

    def name(self, path: str) -> str:
        """The group of an image: the same for all that are alike."""
        return self._same.get(path, path)

    def learnt(self, labels: Mapping[str, Label]) -> dict[str, Label]:
        """Of each group the first answer of either kind.

        Args:
            labels: by path, in the order answered.
        """
        known: set[tuple[str, object]] = set()
        kept: dict[str, Label] = {}
        for path, label in labels.items():
            entry = self.name(path), label
            if entry not in known:
                known.add(entry)
                kept[path] = label
        return kept

    def spread(self, figures: Mapping[str, float], labels: Mapping[str, Label]) -> dict[str, float]:
        """Figures of the answers that were learnt, for all of their group that say the same, too."""
        of_group = {(self.name(path), labels[path]): figure for path, figure in figures.items() if path in labels}
        return {
            path: of_group[self.name(path), label]
            for path, label in labels.items()
            if (self.name(path), label) in of_group
        }


def read_once(run: Path, settings: Settings) -> Deduplicated:
    """What is known of near duplicates in a run; nothing where the files are not there, or damaged."""
    if settings.alike == "off":
        return Deduplicated({})
    try:
        first, paths = np.asarray(read(run, DUPLICATES).content.first), read(run, IMAGES).content
    except (OSError, ValueError):
        return Deduplicated({})
    first = first[: len(paths)]
    first = np.where(first < len(first), first, np.arange(len(first)))
    is_shared = np.bincount(first, minlength=len(first))[first] > 1 if len(first) else first == 0
    return Deduplicated({paths[number]: paths[first[number]] for number in np.flatnonzero(is_shared)})
