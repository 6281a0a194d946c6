"""Writes the path of an image as text that a page or a script can receive."""

import re

# JSON may hold these lone surrogates, but no file name has them.
LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def displayed(text: str) -> str:
    """A path, or text from a file, as text that can be sent: bytes that are not UTF-8 become replacement characters."""
    return LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
