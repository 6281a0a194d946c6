"""Which files and folders hold images, as their names say."""

import importlib.util
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

EXTRA_SUFFIXES = {".heic": "heic", ".heif": "heic", ".dcm": "dicom"}  # the extra of pyproject.toml that reads each
EXTRA_PACKAGES = {"heic": "pillow_heif", "dicom": "pydicom"}
MISSING_SUFFIXES = frozenset(
    suffix for suffix, extra in EXTRA_SUFFIXES.items() if importlib.util.find_spec(EXTRA_PACKAGES[extra]) is None
)
IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".jif", ".mpo"}
    | {".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"}
    | (EXTRA_SUFFIXES.keys() - MISSING_SUFFIXES)
)
# No reader here opens these images and films; the program reports how many a folder has.
UNREAD_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".gpr", ".iiq", ".kdc", ".mef", ".mos"}
    | {".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
    | {".ai", ".eps", ".exr", ".hdr", ".ico", ".j2k", ".jp2", ".jxl", ".pbm"}
    | {".pdf", ".pgm", ".pnm", ".ppm", ".psb", ".psd", ".svg", ".tga"}
    | {".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv"}
)
# Systems, network drives and archives keep these folders beside photos, for thumbnails, deleted files, resource forks.
NO_PHOTOS = frozenset(
    {"#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recently-snapshot", "@recycle", "@tmp"}
    | {"__macosx", "_gsdata_", "~snapshot"}
    | {"lost+found", "lost.dir", "network trash folder", "system volume information", "temporary items"}
)
EXAMPLES_AT_MOST = 200


def is_text(name: str) -> bool:
    """Whether a name is text; a name that is no UTF-8 has surrogates in place of some bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is hidden or a system's, and so neither is nor holds a photo to look at."""
    return name.startswith(".") or name.lower() in NO_PHOTOS


def images_below(folder: Path) -> Iterator[str]:
    """The first `EXAMPLES_AT_MOST` images in a folder of examples and its subfolders, by name, relative to it."""
    return islice(_images_below(folder), EXAMPLES_AT_MOST)


def _images_below(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_left_out(name))
        for name in sorted(names):
            if Path(name).suffix.lower() in IMAGE_SUFFIXES and not is_left_out(name):
                yield os.path.relpath(os.path.join(parent, name), folder)  # noqa: PTH118 - names that are no UTF-8 too
