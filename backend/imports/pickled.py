"""Reads annotations.pickle of a run, or of this project's seed, `{absolute path: bool}`; never runs code in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.imports.format import ImportFormat
from backend.imports.labelled import Labelled
from IA.protocol.pickle_file import read_foreign
from IA.text.answer_words import FROM_TRUTH


def pickled(path: Path) -> Iterator[Labelled]:
    """The labels in a pickle of `{path: True, False or None}`.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is damaged, or holds something else.
    """
    content: Any = read_foreign(path)
    if type(content) is not dict:
        raise ValueError(f"{path} holds no dict")
    for image, label in content.items():
        if type(image) is not str or type(label) not in (bool, type(None)):
            raise ValueError(f"{path} holds more than path: True, False or None, such as {image!r}")
        yield Labelled(image, (FROM_TRUTH[label],))


PICKLE = ImportFormat("annotations.pickle", (".pickle", ".pkl"), lambda path, _: pickled(path))
