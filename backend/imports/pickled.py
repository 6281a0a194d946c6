"""annotations.pickle: of a run, or of the seed of this project, `{absolute path: bool}`; no code in it is ever run."""

from pathlib import Path
from typing import Any

from backend.answers import Label
from IA.protocol import read_foreign

LABELS: dict[bool | None, Label] = {True: "positive", False: "negative", None: "skipped"}


def pickled_labels(path: Path) -> dict[str, Label]:
    """The labels in a pickle of `{path: True, False or None}`.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, or holds something else.
    """
    content: Any = read_foreign(path)
    if type(content) is not dict:
        raise ValueError(f"{path} holds no dict")
    for image, label in content.items():
        if type(image) is not str or type(label) not in (bool, type(None)):
            raise ValueError(f"{path} holds more than path: True, False or None, such as {image!r}")
    return {image: LABELS[label] for image, label in content.items()}
