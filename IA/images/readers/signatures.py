"""The signatures of HEIC, AVIF and DICOM in the first bytes of a file."""

SIGNATURE_BYTES = 132
BOXED = b"ftyp"  # at byte 4 of HEIC and AVIF, whose decoders read the whole file into memory
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
DICOM = b"DICM"  # at byte 128


def extra_of(head: bytes) -> str | None:
    """The extra of pyproject.toml that a file may need, by its first `SIGNATURE_BYTES`; None: it needs none."""
    if is_dicom(head):
        return "dicom"
    return "heic" if is_boxed(head) and head[8:12] in HEIC_BRANDS else None


def is_dicom(head: bytes) -> bool:
    """Whether a file begins like DICOM; the 128 bytes before the signature may be anything."""
    return head[128:SIGNATURE_BYTES] == DICOM


def is_boxed(head: bytes) -> bool:
    """Whether the decoder of a file would read all of it to find its header."""
    return head[4:8] == BOXED
