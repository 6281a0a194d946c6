"""The description of a format: each format has one in its own file, and `backend.exports.FORMATS` lists them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from backend.exports.source import Source
from backend.exports.trees.tree import Tree


@dataclass(frozen=True)
class Scheme:
    """A file that another program needs beside the answers to understand them.

    Attributes:
        ending: the ending of its name, in place of the format's ending.
        media_type: media type of the file.
        content: makes the file from the names of the positive and the negative answer, and whether there are tiles.
    """

    ending: str
    media_type: str
    content: Callable[[str, str, bool], bytes]


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        name: its name on the command line and in addresses.
        title: its name in the page's menu.
        use: its purpose, in the page's menu; `{positive}` and `{negative}` stand for the names of the answers.
        media_type: media type of the file.
        ending: the ending of the file's name, after the name of the run.
        lines: makes the file, in pieces of any size.
        tree: lays out the images as a zip or as files, if the format holds images.
        scheme: the file that goes with it; None: there is none.
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
    """The description of a format that holds the images."""
    ending = f"{name}.zip"
    return ExportFormat(name, title, use, "application/zip", ending, lambda source: tree(source).zipped(), tree)
