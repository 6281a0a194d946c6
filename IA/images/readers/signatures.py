"""What the first bytes of a file say of its format, where that takes a package of its own or more than its header."""

SIGNATURE_BYTES = 132
BOXED = b"ftyp"  # at 4: HEIC and AVIF, which are read into memory as a whole
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
DICOM = b"DICM"  # at 128


def extra_of(head: bytes) -> str | None:
    """The extra of pyproject.toml that a file may need, by its first `SIGNATURE_BYTES`; None: none at all."""
    if is_dicom(head):
        return "dicom"
    return "heic" if is_boxed(head) and head[8:12] in HEIC_BRANDS else None


def is_dicom(head: bytes) -> bool:
    """Whether it says so, behind what may be anything."""
    return head[128:SIGNATURE_BYTES] == DICOM


def is_boxed(head: bytes) -> bool:
    """Whether its decoder would read all of the file to see its header."""
    return head[4:8] == BOXED
