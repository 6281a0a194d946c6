"""Keeps data compressed, at a tenth of its size, until its place in a file comes."""

import zlib
from collections.abc import Iterator

PIECE_BYTES = 1 << 16
LEVEL = 1  # At this level a million rows take seconds, not minutes.


class Spool:
    """Bytes that are written first and read back later, in the same order."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(LEVEL)
        self._packed: list[bytes] = []
        self.count = 0

    @property
    def held_bytes(self) -> int:
        """How much memory the written data takes."""
        return sum(map(len, self._packed))

    def write(self, data: bytes) -> None:
        """Add one piece."""
        self.count += 1
        self._keep(self._packer.compress(data))

    def read(self) -> Iterator[bytes]:
        """All that was written, in pieces of any size; nothing can be written after that."""
        self._keep(self._packer.flush())
        unpacker = zlib.decompressobj()
        for packed in self._packed:
            while packed:
                yield unpacker.decompress(packed, PIECE_BYTES)
                packed = unpacker.unconsumed_tail
        yield unpacker.flush()

    def _keep(self, packed: bytes) -> None:
        if packed:
            self._packed.append(packed)
