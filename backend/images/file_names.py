"""Makes file names from longer ones that leave no room for an ending: file systems take 255 bytes."""

import hashlib

MOST_BYTES = 255
DIGEST_BYTES = 8


def fitting(stem: str, ending: str) -> str:
    """Join stem and ending; a stem that is too long is cut, and a hash of all of it keeps two names apart."""
    data = stem.encode("utf-8", "surrogateescape")
    room = MOST_BYTES - len(ending.encode("utf-8", "surrogateescape"))
    if len(data) <= room:
        return stem + ending
    mark = f"~{hashlib.blake2b(data, digest_size=DIGEST_BYTES).hexdigest()}"
    return data[: room - len(mark)].decode("utf-8", "ignore") + mark + ending
