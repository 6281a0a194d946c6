"""The formats that need a package of their own, HEIC and DICOM; the package is loaded with the first such file."""

import importlib.util

from IA.text.image_files import EXTRA_PACKAGES


def registered(extra: str) -> str | None:
    """Make Pillow know a format, and return Pillow's name for it; None if the package is not installed."""
    if importlib.util.find_spec(EXTRA_PACKAGES[extra]) is None:
        return None
    if extra == "dicom":
        from IA.images.readers import dicom

        return dicom.register()
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return "HEIF"
