"""Keeps the label that stands for each image, in the order answered; entries are pickled, so publishing is one join."""

import pickle
import struct
from collections import Counter
from collections.abc import Mapping
from typing import get_args

from backend.store.figures.roll_up import RollUp
from IA.text.answer_words import TRUTH, Label

OF_TRUTH = {True: pickle.NEWTRUE, False: pickle.NEWFALSE, None: pickle.NONE}
OPCODES: dict[Label, bytes] = {label: OF_TRUTH[TRUTH[label]] for label in get_args(Label)}
LABELS = {opcode[0]: label for label, opcode in OPCODES.items()}
LENGTH = struct.Struct("<I")
BEGIN = pickle.PROTO + bytes([5]) + pickle.EMPTY_DICT + pickle.MARK
END = pickle.SETITEMS + pickle.STOP


class CurrentLabels:
    """A dict of labels by path that keeps each entry in its pickled form; not for several threads at once."""

    def __init__(self, in_order: Mapping[str, Label]) -> None:
        self._entries = {path: _pickled(path, label) for path, label in in_order.items()}
        self._counts = dict.fromkeys(get_args(Label), 0) | Counter(in_order.values())
        self._rolled_up = RollUp(path for path, label in in_order.items() if label == "positive")

    @property
    def counts(self) -> dict[str, int]:
        """How many labels are positive, negative and skipped."""
        return dict(self._counts)

    @property
    def photos_positive(self) -> int:
        """How many photos are positive, by their own answer or by that of a tile."""
        return self._rolled_up.photos

    @property
    def labels(self) -> dict[str, Label]:
        """All labels, in the order answered."""
        return {path: LABELS[entry[-1]] for path, entry in self._entries.items()}

    def label(self, path: str) -> Label | None:
        """The label of one image."""
        entry = self._entries.get(path)
        return None if entry is None else LABELS[entry[-1]]

    def __contains__(self, path: str) -> bool:
        """Whether this image has a label here."""
        return path in self._entries

    @property
    def entries(self) -> dict[str, bytes]:
        """A copy of the pickled entry of each path."""
        return self._entries.copy()

    def put(self, path: str, label: Label | None) -> None:
        """Let this label stand, as the last of all; None removes the label."""
        entry = self._entries.pop(path, None)
        before = None if entry is None else LABELS[entry[-1]]
        if before is not None:
            self._counts[before] -= 1
        if label is not None:
            self._entries[path] = _pickled(path, label)
            self._counts[label] += 1
        if (label == "positive") != (before == "positive"):
            self._rolled_up.count(path, 1 if label == "positive" else -1)

    def pickled(self) -> bytes:
        """The labels as `pickle.dumps` would give them."""
        return joined(self._entries)


def joined(entries: Mapping[str, bytes]) -> bytes:
    """A pickled dict of these entries."""
    return b"".join([BEGIN, *entries.values(), END])


def _pickled(path: str, label: Label) -> bytes:
    text = path.encode("utf-8", "surrogatepass")
    return pickle.BINUNICODE + LENGTH.pack(len(text)) + text + OPCODES[label]
