"""How an image is named to a page or a script: its path as text, and of a tile its photo and where in it that is."""

from dataclasses import asdict
from typing import Any

from IA.tiles import split


def displayed(path: str) -> str:
    """A path as text: bytes that are no UTF-8 become replacement characters."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def names_of(path: str) -> dict[str, Any]:
    """The path of an image, the photo that it is or is a tile of, and which tile; None: all of it."""
    photo, tile = split(path)
    return {
        "path": displayed(path),
        "source_image": displayed(photo),
        "tile": None if tile is None else asdict(tile),
    }
