"""Writes the path of an image as text that a page or a script can receive."""

import re

LONE = re.compile(
    "[\ud800-\udc7f\udd00-\udfff]"
)  # lone surrogates, which JSON may hold, but no file name


def displayed(text: str) -> str:
    """A path, or text from a file, as text that can be sent: bytes that are not UTF-8 become replacement characters."""
    return LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
