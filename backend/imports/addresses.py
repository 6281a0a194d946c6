"""Reads paths out of the addresses that other programs give to images."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from IA.text.cells import plain
from IA.text.image_files import IMAGE_SUFFIXES, MISSING_SUFFIXES

LOCAL = "/data/local-files/"
UPLOAD = "/data/upload/"
QUERY = f"{LOCAL}?d="
WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
OF_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # Label Studio puts this before the name of an uploaded file.
ENCODED = re.compile(r"(?:[A-Za-z0-9._~!$'()*,;=:@/?-]|%[0-9A-Fa-f]{2})*")  # An encoded address has only these.
KEPT_BYTE = 0xDC00  # Python adds this to a byte that is not UTF-8.
OF_CP1252 = {
    KEPT_BYTE + byte: bytes([byte]).decode("latin-1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252")
    for byte in range(0x80, 0x100)
}
SUFFIXES = tuple(IMAGE_SUFFIXES | MISSING_SUFFIXES)

AS_WRITTEN = "as_written"
BACKSLASHES = "backslashes"
APOSTROPHE = "apostrophe"
CP1252 = "cp1252"


@dataclass(frozen=True)
class AddressReading:
    """A path that an address may mean.

    Attributes:
        path: the path.
        rules: the rules that give this reading; empty: the usual way to read such addresses.
        tier: readings of a higher tier count only if none of a lower tier is an image.
    """

    path: str
    rules: tuple[str, ...] = ()
    tier: int = 0


def path_of(address: str) -> str:
    """The path in an address of Label Studio, http, s3, file: or Windows; any other text is a path itself."""
    address = address.strip()
    if _is_address(address):
        try:
            parts = urlsplit(address)
        except ValueError:
            return address
        if parts.path.endswith(LOCAL):
            return parse_qs(parts.query, errors="surrogateescape").get("d", [""])[0]
        return _as_uploaded(unquote(parts.path, errors="surrogateescape"))
    if WINDOWS.match(address) or ("\\" in address and "/" not in address):
        return address.replace("\\", "/")
    return address


def readings(address: str) -> list[AddressReading]:
    """The paths that an address may mean, the usual one first.

    If an address has letters that should be encoded and are not, its percent signs may be meant literally or as
    encoding: only the images decide which.
    """
    address = address.strip()
    path, is_address = path_of(address), _is_address(address)
    found = [AddressReading(path, () if is_address or path == address else (BACKSLASHES,))]
    if is_address:
        tier = 1 if ENCODED.fullmatch(address) else 0
        found += [AddressReading(text, (AS_WRITTEN,), tier) for text in _as_written(address)]
    if plain(address) != address:
        found.append(AddressReading(path_of(plain(address)), (APOSTROPHE,), 1))
    found += [
        AddressReading(in_cp1252(reading.path), (*reading.rules, CP1252), 1)
        for reading in found
        if in_cp1252(reading.path) != reading.path
    ]
    slashed = [
        AddressReading(reading.path.replace("\\", "/"), (*reading.rules, BACKSLASHES), 2)
        for reading in found
        if "\\" in reading.path
    ]
    return list({reading.path: reading for reading in reversed(found + slashed)}.values())[::-1]


def is_image(address: str) -> bool:
    """Whether an address has the ending of an image's name."""
    return any(reading.path.lower().endswith(SUFFIXES) for reading in readings(address))


def in_cp1252(text: str) -> str:
    """Text of a file that is not UTF-8, read in the encoding of programs for Western Europe (cp1252)."""
    return text if text.isascii() else text.translate(OF_CP1252)


def _is_address(text: str) -> bool:
    return "://" in text or text.startswith((LOCAL, UPLOAD))


def _as_written(address: str) -> Iterator[str]:
    """The part of an address after the server, first with its percent signs decoded, then as it stands."""
    _, _, local = address.partition(QUERY)
    _, _, after = address.partition("://")
    path = local or (after[after.find("/") :] if "/" in after else address)
    yield _as_uploaded(unquote(path, errors="surrogateescape"))
    yield _as_uploaded(path)


def _as_uploaded(path: str) -> str:
    """The path without the prefix that Label Studio gives to the names of uploaded files."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{OF_UPLOAD.sub('', name, count=1)}" if UPLOAD in f"{folder}/" else path
