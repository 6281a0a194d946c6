"""What a format says of itself: each has one, in its own file, and `backend.exports.FORMATS` lists them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from backend.exports.source import Source
from backend.exports.trees.tree import Tree


@dataclass(frozen=True)
class Scheme:
    """A file that another program needs beside the answers, to make sense of them.

    Attributes:
        ending: of its name, where the answers have the ending of the format.
        media_type: of the file.
        content: makes it of the names of the positive and the negative answer, and of whether there are tiles.
    """

    ending: str
    media_type: str
    content: Callable[[str, str, bool], bytes]


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        name: on the command line and in addresses.
        title: what the page's menu calls it.
        use: what it is good for, in the page's menu; `{positive}` and `{negative}` stand for the names of the answers.
        media_type: of the file.
        ending: of its name, behind the name of the run.
        lines: makes it, in pieces of any size.
        tree: lays out the images, where the format holds them: as a zip, or as files.
        scheme: what goes with it; None: nothing.
    """

    name: str
    title: str
    use: str
    media_type: str
    ending: str
    lines: Callable[[Source], Iterator[bytes]]
    tree: Callable[[Source], Tree] | None = None
    scheme: Scheme | None = None


def zip_of(name: str, title: str, use: str, tree: Callable[[Source], Tree]) -> ExportFormat:
    """A format that holds the images."""
    ending = f"{name}.zip"
    return ExportFormat(name, title, use, "application/zip", ending, lambda source: tree(source).zipped(), tree)
