"""How the strips of a TIFF are compressed: raw, LZW, deflate, PackBits (TIFF 6.0, Adobe 1992)."""

import zlib
from collections.abc import Callable

CLEAR, END, FIRST = 256, 257, 258  # codes of LZW
MOST_CODE_BITS = 12


def _as_it_is(data: bytes, length: int) -> bytes:
    return data[:length]


def _inflated(data: bytes, length: int) -> bytes:
    return zlib.decompressobj().decompress(data, length)


def _packbits(data: bytes, length: int) -> bytes:
    """Runs and literal bytes (TIFF 6.0, section 9)."""
    out, place = bytearray(), 0
    while place + 1 < len(data) and len(out) < length:
        count = data[place]
        if count < 128:
            out += data[place + 1 : place + 2 + count]
            place += 2 + count
        else:
            out += data[place + 1 : place + 2] * ((257 - count) if count > 128 else 0)
            place += 2 if count > 128 else 1
    return bytes(out[:length])


def _lzw(data: bytes, length: int) -> bytes:
    """Codes of 9 to 12 bit, the highest bit first (TIFF 6.0, section 13)."""
    table = [bytes([byte]) for byte in range(256)] + [b"", b""]
    out, before = bytearray(), b""
    held = bits = 0
    width = 9
    for byte in data:
        held, bits = held << 8 | byte, bits + 8
        if bits < width:
            continue
        bits -= width
        code, held = held >> bits, held & (1 << bits) - 1
        if code == END or len(out) >= length:
            break
        if code == CLEAR:
            del table[FIRST:]
            before, width = b"", 9
            continue
        if code < len(table):
            entry = table[code]
        elif before and code == len(table):
            entry = before + before[:1]
        else:
            raise ValueError("its LZW codes are damaged")
        out += entry
        if before:
            table.append(before + entry[:1])
        before = entry
        width = min(MOST_CODE_BITS, max(9, (len(table) + 1).bit_length()))
    return bytes(out[:length])


UNPACK: dict[int, Callable[[bytes, int], bytes]] = {
    1: _as_it_is,
    5: _lzw,
    8: _inflated,
    32773: _packbits,
    32946: _inflated,
}
