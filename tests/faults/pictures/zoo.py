"""Every kind of file that people have in folders of images, and damaged ones, made from nothing but a seed."""

import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from tests.faults.pictures.bombs import chunk, encoded

Random = np.random.Generator
Choice = TypeVar("Choice")
generator = np.random.default_rng
SUFFIXES = (".jpg", ".png", ".gif", ".webp", ".avif", ".tif", ".bmp", ".JPEG")


def photo(random: Random, width_px: int = 0, height_px: int = 0) -> Image.Image:
    """Soft shapes with some grain."""
    size = (width_px or int(random.integers(1, 400)), height_px or int(random.integers(1, 300)))
    coarse = Image.fromarray(random.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(size)
    grain = random.integers(-9, 10, (size[1], size[0], 1))
    return Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))


def any_of(random: Random, *choices: Choice) -> Choice:
    """One of them."""
    return choices[int(random.integers(len(choices)))]


# --- kinds ------------------------------------------------------------------------------------------------------------


def baseline(random: Random) -> bytes:
    """A JPEG as cameras write it."""
    return encoded(photo(random), "JPEG", quality=int(random.integers(1, 100)), subsampling=any_of(random, 0, 1, 2))


def progressive(random: Random) -> bytes:
    """A JPEG as web sites have it."""
    return encoded(photo(random), "JPEG", progressive=True, quality=int(random.integers(1, 100)))


def other_colours(random: Random) -> bytes:
    """A JPEG of grey, or for print."""
    return encoded(photo(random).convert(any_of(random, "L", "CMYK")), "JPEG", progressive=random.random() < 0.5)


def turned(random: Random) -> bytes:
    """A JPEG that EXIF turns."""
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(0, 11))
    return encoded(photo(random), "JPEG", exif=exif)


def large(random: Random) -> bytes:
    """A JPEG of twelve megapixels."""
    return encoded(photo(random, 80, 60).resize((4000, 3000)), "JPEG", progressive=random.random() < 0.3)


def cut_short(random: Random) -> bytes:
    """A file that was not copied to its end."""
    data = encoded(photo(random, 300, 200), any_of(random, "JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF"))
    return data[: int(random.integers(1, len(data)))]


def broken_exif(random: Random) -> bytes:
    """A good JPEG with rubbish for EXIF."""
    block = any_of(random, b"II*\0", b"MM\0*", b"II", b"") + random.bytes(int(random.integers(0, 3000)))
    return encoded(photo(random), "JPEG", exif=b"Exif\0\0" + block)


def deep(random: Random) -> bytes:
    """16 bit of grey, or floats."""
    values = random.integers(0, 65535, (40, 60)).astype(np.uint16)
    if random.random() < 0.4:
        return encoded(Image.fromarray(values.astype(np.float32)), "TIFF")
    return encoded(Image.fromarray(values), any_of(random, "PNG", "TIFF"))


def see_through(random: Random) -> bytes:
    """A PNG or WebP with an alpha channel, or a palette of which a colour is transparent."""
    picture = photo(random).convert("RGBA")
    picture.putalpha(int(random.integers(0, 255)))
    if random.random() < 0.3:
        return encoded(photo(random).quantize(16), "PNG", transparency=int(random.integers(16)))
    return encoded(picture, any_of(random, "PNG", "WEBP"))


def interlaced(random: Random) -> bytes:
    """A PNG in seven passes (Adam7)."""
    pixels = np.asarray(photo(random).convert("L"))
    passes = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1))
    parts = [pixels[top::down, left::right] for top, down, left, right in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 1)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def moving(random: Random) -> bytes:
    """An animation."""
    frames = [photo(random, 90, 60) for _ in range(int(random.integers(2, 9)))]
    kind = any_of(random, "GIF", "WEBP", "PNG")
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def bitmap(random: Random) -> bytes:
    """A BMP."""
    return encoded(photo(random).convert(any_of(random, "1", "L", "P", "RGB", "RGBA")), "BMP")


def webp(random: Random) -> bytes:
    """A WebP."""
    return encoded(photo(random), "WEBP", lossless=random.random() < 0.5, method=0)


def avif(random: Random) -> bytes:
    """An AVIF."""
    return encoded(photo(random), "AVIF", quality=int(random.integers(1, 100)), speed=10)


def tiff(random: Random) -> bytes:
    """A TIFF."""
    compression = any_of(random, "raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    picture = photo(random).convert(any_of(random, "RGB", "L", "CMYK"))
    return encoded(picture, "TIFF", compression=compression, save_all=random.random() < 0.3)


def foreign(random: Random) -> bytes:
    """An image of a format that is not taken."""
    kinds = ("PCX", "PPM", "TGA", "ICO", "SGI", "EPS", "PDF", "JPEG2000")
    return encoded(photo(random, 64, 48), any_of(random, *kinds))


def no_image(random: Random) -> bytes:
    """Something else under the name of an image."""
    script = b"<script>alert(document.cookie)</script>"
    return any_of(
        random,
        b"",
        b"\0",
        b"\xff\xd8\xff",
        b"<!doctype html><body>" + script,
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + script + b"</svg>",
        b"GIF89a" + script,
        b"BM" + script,
        b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run",
        b"version https://git-lfs.github.com/spec/v1\n",
        random.bytes(int(random.integers(1, 5000))),
        b"PK\3\4" + random.bytes(100),
    )


def oddly_named(random: Random) -> bytes:
    """A good image; its name is what is odd."""
    return encoded(photo(random), any_of(random, "JPEG", "PNG"))


KINDS: tuple[Callable[[Random], bytes], ...] = (
    baseline,
    progressive,
    other_colours,
    turned,
    large,
    cut_short,
    broken_exif,
    deep,
    see_through,
    interlaced,
    moving,
    bitmap,
    webp,
    avif,
    tiff,
    foreign,
    no_image,
    oddly_named,
)
ODD_NAMES = (
    b" space \n newline %d.jpg",
    b"'quote' \"double\" `%d`.png",
    b"<img src=x onerror=alert(1)> %d.gif",
    b"x..%%2f..%%2fetc%%2fpasswd %d.jpg",
    b"\xff\xfe no utf-8 %d.jpg",
    b"\xed\xa0\x80 surrogate %d.jpg",
    "L\u00fcchs \u5c71\u732b \U0001f408 \u202egpj.%d.jpg".encode(),
    b"-rf %d.jpg",
    b"$(reboot) ; %d.jpg",
    b"C:\\con\\%d.jpg",
    b"n" * 240 + b" %d.jpg",
    b"\r\x1b[31m tab\t%d.webp",
)


def files(per_kind: int, seed: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of so many files of each kind."""
    random = np.random.default_rng(seed)
    for kind in KINDS:
        for number in range(per_kind):
            if kind is oddly_named:
                name = ODD_NAMES[number % len(ODD_NAMES)] % number
            else:
                name = f"{kind.__name__}-{number}{any_of(random, *SUFFIXES)}".encode()
            yield name, kind(random)


# --- mutants ----------------------------------------------------------------------------------------------------------


def mutants(count: int, seed: int = 1) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of so many damaged files."""
    random = np.random.default_rng(seed)
    parents = [kind(random) for kind in KINDS if kind not in (large, cut_short, foreign, no_image) for _ in range(4)]
    for number in range(count):
        data = parents[int(random.integers(len(parents)))]
        for _ in range(int(random.integers(1, 4))):
            data = MUTATIONS[int(random.integers(len(MUTATIONS)))](random, data, parents)
        yield f"mutant-{number}{any_of(random, *SUFFIXES)}".encode(), data


def _flipped(random: Random, data: bytes, parents: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(len(changed)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _flipped_header(random: Random, data: bytes, _: list[bytes]) -> bytes:
    return _flipped(random, data[:100], []) + data[100:]


def _extreme(random: Random, data: bytes, _: list[bytes]) -> bytes:
    """A number in the header as large or as small as can be."""
    place, width = int(random.integers(min(len(data), 200))), int(random.integers(1, 9))
    value = any_of(random, b"\xff" * width, b"\0" * width, b"\x7f" + b"\xff" * (width - 1))
    return data[:place] + value + data[place + width :]


def _cut(random: Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: max(1, int(random.integers(len(data))))]


def _spliced(random: Random, data: bytes, parents: list[bytes]) -> bytes:
    other = parents[int(random.integers(len(parents)))]
    return data[: max(1, int(random.integers(len(data))))] + other[int(random.integers(len(other))) :]


def _repeated(random: Random, data: bytes, _: list[bytes]) -> bytes:
    """A piece comes again and again."""
    start = int(random.integers(len(data)))
    end = min(len(data), start + int(random.integers(1, 2000)))
    return data[:end] + data[start:end] * int(random.integers(1, 60)) + data[end:]


def _without(random: Random, data: bytes, _: list[bytes]) -> bytes:
    start = int(random.integers(len(data)))
    return data[:start] + data[start + int(random.integers(1, 500)) :] or b"\0"


def _noisy(random: Random, data: bytes, _: list[bytes]) -> bytes:
    start = int(random.integers(len(data)))
    return data[:start] + random.bytes(int(random.integers(1, 500))) + data[start:]


MUTATIONS = (_flipped, _flipped_header, _extreme, _cut, _spliced, _repeated, _without, _noisy)


def lay(folder: Path, some: Iterator[tuple[bytes, bytes]]) -> int:
    """Write the files, whatever bytes their names are; how many."""
    count = 0
    for count, (name, content) in enumerate(some, 1):  # noqa: B007 - the last one is returned
        with io.open(os.fsencode(folder) + b"/" + name.replace(b"/", b"_"), "wb") as file:  # noqa: UP020
            file.write(content)
    return count
