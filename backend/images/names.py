"""How an image is named to a page or a script: its path as text, and of a tile its photo and where in it that is."""

import re
from dataclasses import asdict
from typing import Any

from IA.images.tiles import split

LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # halves of letters, which no file name has, but JSON may


def displayed(text: str) -> str:
    """A path, or what a file says, as text that can be sent: what is no UTF-8 becomes replacement characters."""
    return LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def names_of(path: str) -> dict[str, Any]:
    """The path of an image, the photo that it is or is a tile of, and which tile; None: all of it."""
    photo, tile = split(path)
    return {
        "path": displayed(path),
        "source_image": displayed(photo),
        "tile": None if tile is None else asdict(tile),
    }
