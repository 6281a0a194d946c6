"""Class folders: an image is of the class of the folder that it lies in, at any depth."""

from collections.abc import Iterator, Mapping, Sequence

from backend.imports.labelled import ANY, Labelled
from backend.store.table import Label
from IA.images.tiles import photo_of


def class_folders(images: Sequence[str], folders: Mapping[Label, Sequence[str]]) -> Iterator[Labelled]:
    """What the folders say; nothing of images in none of them. A file that is cut up into tiles is named whole.

    Args:
        images: paths relative to DATADIR.
        folders: names of the folders of each class, one or several levels each; `*`: all images in none of the others.

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
