"""Paths out of the addresses that other programs give to images."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

LOCAL = "/data/local-files/"
UPLOAD = "/data/upload/"
WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
OF_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # what Label Studio puts before the name of an uploaded file


def path_of(address: str) -> str:
    """The path in an address: of Label Studio, http, s3, file: or Windows; any other text is a path itself."""
    address = address.strip()
    if "://" in address or address.startswith((LOCAL, UPLOAD)):
        try:
            parts = urlsplit(address)
        except ValueError:
            return address
        if parts.path.endswith(LOCAL):
            return parse_qs(parts.query, errors="surrogateescape").get("d", [""])[0]
        path = unquote(parts.path, errors="surrogateescape")
        folder, slash, name = path.rpartition("/")
        if UPLOAD in f"{folder}/":
            name = OF_UPLOAD.sub("", name, count=1)
        return f"{folder}{slash}{name}"
    if WINDOWS.match(address) or ("\\" in address and "/" not in address):
        return address.replace("\\", "/")
    return address
