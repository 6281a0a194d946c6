"""Class folders: the class of an image is that of a folder in which it lies, at any depth."""

from collections.abc import Iterator, Mapping, Sequence

from backend.imports.labelled import ANY, Labelled
from backend.store.table import Label
from IA.images.tiles import photo_of


def class_folders(images: Sequence[str], folders: Mapping[Label, Sequence[str]]) -> Iterator[Labelled]:
    """The labels of the images in these folders. A file that is cut up into tiles gets one label as a whole.

    Args:
        images: paths relative to DATADIR.
        folders: names of the folders of each class, of one or several levels; `*`: all images in no other folder.

    Raises:
        ValueError: no image lies in one of these folders.
    """
    named = {folder.strip("/"): label for label, several in folders.items() for folder in several if folder != ANY}
    remaining = next((label for label, several in folders.items() if ANY in several), None)
    seen: set[str] = set()
    for image in dict.fromkeys(map(photo_of, images)):
        inside = f"/{image}"
        labels = {label: folder for folder, label in named.items() if f"/{folder}/" in inside}
        seen.update(labels.values())
        for label in labels or ([remaining] if remaining else []):
            yield Labelled(image, (label,))
    empty = named.keys() - seen
    if empty:
        raise ValueError(f"no image lies in a folder {min(empty)!r}")
