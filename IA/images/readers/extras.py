"""Formats that take a package of their own: HEIC and DICOM. Their decoders are loaded when such a file comes."""

import importlib.util

from IA.text.image_files import EXTRA_PACKAGES


def registered(extra: str) -> str | None:
    """Pillow's name of the format, once Pillow knows it; None where the package is not installed."""
    if importlib.util.find_spec(EXTRA_PACKAGES[extra]) is None:
        return None
    if extra == "dicom":
        from IA.images.readers import dicom

        return dicom.register()
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return "HEIF"
