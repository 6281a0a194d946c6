"""How an image is named to a page or a script: its path as text, and of a tile its photo and where in it that is."""

import re

LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # halves of letters, which no file name has, but JSON may


def displayed(text: str) -> str:
    """A path, or what a file says, as text that can be sent: what is no UTF-8 becomes replacement characters."""
    return LONE.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
