"""DICOM files byte by byte, so that the tests do not make them with the package that reads them."""

import struct

import numpy as np
from numpy.typing import NDArray

EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_LS = "1.2.840.10008.1.2.4.80"


def element(group: int, number: int, kind: str, value: bytes) -> bytes:
    """One element of a DICOM file, explicit, little endian."""
    value += (b"\0" if kind == "UI" else b" ") * (len(value) % 2)
    length = struct.pack("<2xI" if kind in {"OW", "OB", "SQ"} else "<H", len(value))
    return struct.pack("<HH", group, number) + kind.encode() + length + value


def dicom(
    values: NDArray[np.uint16], kind: str = "MONOCHROME2", syntax: str = EXPLICIT, **figures: float | str
) -> bytes:
    """A DICOM file with the pixels (H, W), or of several frames (N, H, W)."""
    meta = element(2, 0x10, "UI", syntax.encode())
    places = {"slope": 0x1053, "intercept": 0x1052, "centre": 0x1050, "width": 0x1051, "function": 0x1056}
    rows, columns = values.shape[-2:]
    parts = [element(0x28, 2, "US", struct.pack("<H", 1)), element(0x28, 4, "CS", kind.encode())]
    if values.ndim == 3:
        parts.append(element(0x28, 8, "IS", str(len(values)).encode()))
    parts += [element(0x28, 0x10, "US", struct.pack("<H", rows)), element(0x28, 0x11, "US", struct.pack("<H", columns))]
    parts += [element(0x28, place, "US", struct.pack("<H", bits)) for place, bits in ((0x100, 16), (0x101, 16))]
    parts += [element(0x28, place, "US", struct.pack("<H", bits)) for place, bits in ((0x102, 15), (0x103, 0))]
    if "padding" in figures:
        parts.append(element(0x28, 0x120, "US", struct.pack("<H", int(figures["padding"]))))
    for name in sorted(figures.keys() & places.keys(), key=lambda name: places[name]):
        parts.append(element(0x28, places[name], "CS" if name == "function" else "DS", str(figures[name]).encode()))
    head = bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    return head + b"".join(parts) + element(0x7FE0, 0x10, "OW", values.astype("<u2").tobytes())
